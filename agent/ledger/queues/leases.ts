import type { Clock } from '../../kernel/clock.ts';
import type { Clip, ClipChange, ClipRow, ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { ClipEvent } from '../clips/clip-states.ts';
import { EVIDENCE_LOST } from '../clips/losses.ts';
import { NOT_IN_STORAGE } from './storage-answer.ts';

/** Every third lease goes to the clip that waits longest; the others to the newest. */
const AGEING = 3;

/** The right to upload one clip until it expires. `attempt` is the fencing token: a late owner cannot settle. */
export interface Lease {
  readonly clip: Clip;
  readonly attempt: number;
  /** Monotonic time at which it ends. */
  readonly expiresMs: number;
}

export interface Leases {
  /** Leases the next clip that may be uploaded now; newest first, then those that waited longest. */
  readonly leaseNext: () => Lease | undefined;
  /** Settles a lease. False when the lease is no longer the caller's; nothing changed then. */
  readonly settleUploaded: (lease: Lease, blobUrl: string) => boolean;
  /** Back to `sealed`, not before `retryInMs`. False as above. */
  readonly settleFailed: (lease: Lease, reason: string, retryInMs: number) => boolean;
  /** Refused: kept, and tried again only when `returnParked` says so. False as above. */
  readonly settleParked: (lease: Lease, reason: string) => boolean;
  /** Storage was asked in this attempt, and does not have the clip: a line of custody, unless the lease is no longer the
   *  caller's. Whoever misses its file need not ask again. */
  readonly noteNotInStorage: (lease: Lease, detail: string) => void;
  /** Milliseconds until `leaseNext` may have something; null when nothing waits. */
  readonly nextLeaseInMs: () => number | null;
}

export interface LeasesDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly clock: Clock;
  readonly leaseMs: number;
}

const NO_LEASE = { lease_until: null } as const;

/** Hands clips to the uploader, one owner each.
 *  Invariants
 *  1. At most one lease per clip. It ends when it is settled, when it expires by the monotonic clock, or when the
 *     process ends: times of an earlier process mean nothing and are void when the ledger is opened.
 *  2. The attempt number grows with every lease and is the fencing token: a late owner settles nothing. */
export function createLeases({ db, rows, clock, leaseMs }: LeasesDeps): Leases & {
  /** Returns the clips that an earlier process had leased, and forgets its waiting times. */
  voidEarlier(): void;
} {
  const nowMs = () => clock.monotonicMs();
  const expired = db.prepare<[number], ClipRow>(
    "SELECT * FROM clips WHERE state = 'uploading' AND lease_until <= ?",
  );
  const uploading = db.prepare<[], ClipRow>("SELECT * FROM clips WHERE state = 'uploading'");
  // Those that wait for nothing: the index by retry time holds them side by side, in the order of their ids.
  const eligible =
    "FROM clips INDEXED BY clips_by_retry WHERE state = 'sealed' AND retry_at IS NULL ORDER BY clip_id";
  const newest = db.prepare<[], ClipRow>(`SELECT * ${eligible} DESC LIMIT 1`);
  const oldest = db.prepare<[], ClipRow>(`SELECT * ${eligible} ASC LIMIT 1`);
  const due = db.prepare<[number], 1>(
    "SELECT 1 FROM clips INDEXED BY clips_by_retry WHERE state = 'sealed' AND retry_at <= ? LIMIT 1",
  );
  const endWaits = db.prepare<[number]>(
    "UPDATE clips INDEXED BY clips_by_retry SET retry_at = NULL WHERE state = 'sealed' AND retry_at <= ?",
  );
  const firstRetry = db
    .prepare<[], number>(
      `SELECT coalesce(retry_at, 0) FROM clips INDEXED BY clips_by_retry
       WHERE state = 'sealed' ORDER BY retry_at LIMIT 1`,
    )
    .pluck();
  const firstExpiry = db
    .prepare<[], number | null>("SELECT min(lease_until) FROM clips WHERE state = 'uploading'")
    .pluck();
  const countLease = db
    .prepare<[], number>(
      `INSERT INTO facts (name, value) VALUES ('leases', 1)
       ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`,
    )
    .pluck();

  const returnExpired = (detail: string, due: ClipRow[]) => {
    for (const row of due) rows.move(row.clip_id, 'expire', detail, { ...NO_LEASE, retry_at: null });
  };

  function settle(
    { clip, attempt }: Lease,
    event: ClipEvent,
    detail: string | null,
    change: ClipChange,
  ): boolean {
    return db
      .transaction(() => {
        const row = rows.get(clip.clipId);
        if (!row || row.attempt !== attempt) return false;
        // Given up because its file was not there any more: it is in storage all the same.
        const isSaved =
          event === 'upload' && row.state === 'lost' && rows.countNotes(clip.clipId, EVIDENCE_LOST) > 0;
        if (row.state !== 'uploading' && !isSaved) return false;
        const moved = rows.move(clip.clipId, event, detail, { ...NO_LEASE, retry_at: null, ...change });
        if (event === 'upload' && moved.verdict !== null)
          rows.move(clip.clipId, 'judge', 'the verdict was here before the upload was settled');
        return true;
      })
      .immediate();
  }

  return {
    voidEarlier() {
      db.transaction(() => {
        returnExpired('the process that uploaded it ended', uploading.all());
        db.prepare("UPDATE clips SET retry_at = NULL WHERE state = 'sealed' AND retry_at IS NOT NULL").run();
      }).immediate();
    },

    leaseNext() {
      const now = nowMs();
      const waits = newest.get() ?? due.get(now) ?? expired.get(now);
      if (!waits) return undefined;
      return db
        .transaction((): Lease | undefined => {
          returnExpired('the lease ran out', expired.all(now));
          endWaits.run(now);
          const turn = countLease.get() ?? 1;
          const row = (turn % AGEING === 0 ? oldest : newest).get();
          if (!row) return undefined;
          const attempt = row.attempt + 1;
          const lease_until = now + leaseMs;
          const leased = rows.move(row.clip_id, 'lease', `attempt ${attempt}`, { attempt, lease_until });
          return { clip: rows.toClip(leased), attempt, expiresMs: lease_until };
        })
        .immediate();
    },

    settleUploaded: (lease, blobUrl) =>
      settle(lease, 'upload', `attempt ${lease.attempt}`, {
        blob_url: blobUrl,
        uploaded_ms: Math.round(clock.nowMs()),
        reason: null,
      }),
    settleFailed: (lease, reason, retryInMs) =>
      settle(lease, 'fail', reason, { reason, retry_at: nowMs() + Math.max(0, retryInMs) }),
    settleParked: (lease, reason) => settle(lease, 'park', reason, { reason }),

    noteNotInStorage: ({ clip: { clipId }, attempt }, detail) =>
      db
        .transaction(() => {
          const row = rows.get(clipId);
          if (row?.attempt === attempt && row.state === 'uploading')
            rows.note(clipId, NOT_IN_STORAGE, detail);
        })
        .immediate(),

    nextLeaseInMs() {
      const now = nowMs();
      const times = [firstRetry.get(), firstExpiry.get()].filter((at) => typeof at === 'number');
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - now);
    },
  };
}
