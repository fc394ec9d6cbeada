import type { Verdict } from '@dachawatch/contracts';

/** A clip's life. `life-cycle.ts` holds the table of moves.
 *  recording: being written · sealed: whole and on disk, waits for the uploader · uploading: leased ·
 *  uploaded: in Blob Storage and notified · judged: has its verdict · parked: upload refused for good, kept ·
 *  lost: gone, with a reason */
export type ClipState = 'recording' | 'sealed' | 'uploading' | 'uploaded' | 'judged' | 'parked' | 'lost';

export interface Clip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly state: ClipState;
  /** Absolute path of the finished file. While recording the bytes are in `partFile`. */
  readonly file: string;
  readonly partFile: string;
  /** Name to ask a ticket for: without the device id. */
  readonly blobName: string;
  readonly clockQuality: 'synchronised' | 'unsynchronised';
  /** Wall times, Unix milliseconds. */
  readonly triggeredMs: number;
  readonly startedMs: number | null;
  readonly sealedMs: number | null;
  readonly uploadedMs: number | null;
  readonly judgedMs: number | null;
  readonly preRollMs: number | null;
  readonly durationMs: number | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly blobUrl: string | null;
  /** Upload attempts so far; the fencing token of the current lease. */
  readonly attempt: number;
  readonly verdict: Verdict | null;
  /** Why it is parked or lost, or what the last failed upload said. */
  readonly reason: string | null;
}

/** What the clip writer knows when the last byte is on disk. */
export interface WrittenClip {
  /** Wall time of the first frame, Unix milliseconds. */
  readonly startedMs: number;
  readonly preRollMs: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** One line of a clip's history. */
export interface CustodyEntry {
  readonly atMs: number;
  readonly event: string;
  readonly detail: string | null;
}

/** The right to upload one clip until it expires. `attempt` is the fencing token: a late owner cannot settle. */
export interface Lease {
  readonly clip: Clip;
  readonly attempt: number;
}

export interface InboxMessage {
  readonly messageId: string;
  readonly receivedMs: number;
  /** The body as it came. */
  readonly body: Uint8Array;
}

/** What a check of the whole ledger found. */
export interface CheckReport {
  readonly clips: number;
  readonly ok: number;
  readonly repaired: number;
  readonly problems: readonly { readonly clipId: string | null; readonly problem: string }[];
}

/** Custody of every clip: rows in SQLite, files beside it. */
export interface Ledger {
  /** A row in state `recording` and the folder of its file. Persisted before the first byte is written.
   *  @throws Failure `exhausted` when the byte budget is spent on clips that may not be deleted. */
  openClip(request: { cameraId: string; triggeredMs: number; clockQuality: Clip['clockQuality'] }): Clip;
  /** The part file is complete and fsynced: rename, fsync the folder, then the row says `sealed`. */
  sealClip(clipId: string, written: WrittenClip): Clip;
  /** Gives a clip up, with the reason, and removes what is left of its file. */
  loseClip(clipId: string, reason: string): void;
  /** Puts a torn part file right after its writer died: cuts the tail, seals; loses it when nothing is left. */
  recoverClip(clipId: string): Promise<void>;

  /** Leases the next clip that may be uploaded now; newest first, then those that waited longest. */
  leaseNext(): Lease | undefined;
  /** Settles a lease. False when the lease is no longer the caller's; nothing changed then. */
  settleUploaded(lease: Lease, blobUrl: string): boolean;
  /** Back to `sealed`, not before `retryInMs`. False as above. */
  settleFailed(lease: Lease, reason: string, retryInMs: number): boolean;
  /** Refused for good: kept, and never tried again by itself. False as above. */
  settleParked(lease: Lease, reason: string): boolean;
  /** Milliseconds until `leaseNext` may have something; null when nothing waits. */
  nextLeaseInMs(): number | null;

  /** Stores a cloud message before it is acknowledged. A message id seen before changes nothing. */
  storeMessage(message: InboxMessage): void;
  /** Reads every stored message not yet read: applies verdicts, refuses the rest with a reason. */
  drainInbox(): { applied: number; refused: number };
  /** Applies a verdict if its revision is newer than the clip's. */
  applyVerdict(verdict: Verdict): 'applied' | 'already-known' | 'unknown-clip';
  /** Clips uploaded at least `ageMs` ago that have no verdict, oldest first. */
  awaitingVerdict(ageMs: number, limit: number): Clip[];
  /** The blob is not in storage any more although the row said so: upload it again. */
  returnToQueue(clipId: string, reason: string): void;

  clip(clipId: string): Clip | undefined;
  /** Newest first. */
  clips(query: { limit: number; beforeClipId?: string }): Clip[];
  custody(clipId: string): CustodyEntry[];
  /** Totals for the status page. */
  summary(): {
    clips: number;
    waiting: number;
    awaitingVerdict: number;
    bytes: number;
    oldestWaitingMs: number | null;
  };

  /** Checks rows against files and repairs what a killed process left behind. */
  check(options: { repair: boolean }): Promise<CheckReport>;
  close(): void;
}
