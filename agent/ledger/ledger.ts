import { mkdirSync } from 'node:fs';
import { classify } from '../kernel/classify.ts';
import { clockQuality as systemClockQuality } from '../kernel/clock-quality.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Log } from '../kernel/log.ts';
import { createAdoption } from './check/adopt.ts';
import { createBreathe } from './breathe.ts';
import { createBudget } from './disk/budget.ts';
import { freeBytesOf } from './disk/disk-use.ts';
import { type CheckReport, checkLedger, reportOf } from './check/check.ts';
import { type Clips, createClipRepository } from './clips/clips.ts';
import { clipIdIn, type TornClip, type WrittenClip } from './clips/clip-files.ts';
import { type Clip, type ClipRow, createClipRows, type CustodyEntry } from './clips/clip-rows.ts';
import { createClipsRoot } from './clips/clips-root.ts';
import { type BegunClip, enterClip } from './clips/entering.ts';
import { emptyLog, guarded } from './database/database.ts';
import { createDiskReserve, RESERVE_BYTES } from './disk/disk-reserve.ts';
import { createFolding } from './clips/folding.ts';
import { createGoneJournal } from './disk/gone-journal.ts';
import { createInbox, type Inbox } from './queues/inbox.ts';
import { createLeases, type Leases } from './queues/leases.ts';
import {
  createOutbox,
  OUTBOX_BYTES_MAX,
  OUTBOX_ROWS_MAX,
  type OutboxBounds,
  type OutgoingEvents,
} from './queues/outbox.ts';
import { createLosses } from './clips/losses.ts';
import { createMisplaced } from './check/misplaced.ts';
import { type Ownership, takeOwnership } from './database/ownership.ts';
import { createParked, type ParkedClips } from './queues/parked.ts';
import { createQuarantine } from './disk/quarantine.ts';
import { openKnowing } from './disk/recall-gone.ts';
import { createRecovery } from './clips/recovery.ts';
import { createRemoval, intentsIn } from './disk/removal.ts';
import { toBeAskedIn } from './queues/storage-answer.ts';
import { createTending } from './tending.ts';
import { createUnremovable } from './disk/unremovable.ts';
import { createUnsealed, mayPass } from './clips/unsealed.ts';

export type { CheckReport } from './check/check.ts';
export type { LedgerSummary } from './clips/clip-queries.ts';
export type { TornClip, WrittenClip } from './clips/clip-files.ts';
export type { Clip, CustodyEntry } from './clips/clip-rows.ts';
export type { InboxMessage } from './queues/inbox.ts';
export type { Lease } from './queues/leases.ts';
export type { ClipState } from './clips/clip-states.ts';
export type { OutgoingEvent } from './queues/outbox.ts';

/** Custody of every clip: rows in SQLite, files beside it. */
export interface Ledger extends Clips, Leases, ParkedClips, Inbox, OutgoingEvents {
  /** Rows for clips that began when there was no ledger that could be used; none for one that has a row. */
  enterClips(clips: readonly { readonly clip: BegunClip; readonly detail: string }[]): void;
  /** The part file is complete and fsynced: rename, fsync the folder, then the row says `sealed`.
   *  @throws Failure `corrupt` when the file is not what its writer says: `recoverClip` keeps what is whole in it ·
   *  any other but `bug`: the disk does not take it now, and `tend` tries again */
  sealClip(clipId: string, written: WrittenClip): Clip;
  /** Gives a clip up, with the reason, and removes what is left of its file. */
  loseClip(clipId: string, reason: string): void;
  /** Puts a torn part file right after its writer died: cuts the tail, seals; loses it when nothing is left. What
   *  cannot be done now is tried again by `tend`. Rejects only with a `bug`. */
  recoverClip(clipId: string): Promise<void>;
  custody(clipId: string): CustodyEntry[];

  /** Checks rows against files and repairs what a killed process left behind.
   *  @param options.deep also reads every file and compares its checksum */
  check(options: { repair: boolean; deep?: boolean }): Promise<CheckReport>;
  /** One turn of upkeep, in steps that do not hold the event loop: makes room before it is needed, seals what had to
   *  wait, fills the reserve, keeps the quarantine within its bound, folds clips of long ago into totals, looks for
   *  files that are away.
   *  @returns how many clips that had to wait are sealed now
   *  @throws Failure when a part of it failed; the others were done */
  tend(): Promise<{ sealed: number }>;
  /** To be called before a backup of the database is begun.
   *  @returns to be called when it is in place: what it knows need not be noted beside the database any more */
  backupBegins(): () => void;
  close(): void;
}

/** Code of the failure that every call throws while the process has no open ledger (`ledger-service.ts`). */
export const LEDGER_UNAVAILABLE = 'ledger.unavailable';

export interface LedgerDeps {
  /** Folder of `ledger.sqlite` and `clips/`. Made when it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Most bytes of clips on this disk. */
  readonly maxBytes: number;
  /** How long one attempt to upload a clip may take, milliseconds. */
  readonly leaseMs: number;
  /** Cuts the torn tail off a clip file in place and fsyncs it; undefined when nothing playable is left. Called
   *  again for the same file when the process ends in between. */
  readonly recoverTorn: (file: string) => Promise<TornClip | undefined>;
  /** Told what is wrong with disk and files. Absent for who only repairs a ledger and goes. */
  readonly conditions?: Pick<Conditions, 'raise' | 'clear'>;
  /** Size of the file that pays for making room when the disk is full. */
  readonly reserveBytes?: number;
  /** Bytes of the disk that clips leave free for everything else. */
  readonly minFreeBytes?: number;
  readonly freeBytes?: () => number;
  readonly random?: (bytes: number) => Uint8Array;
  /** Something was stored in the outbox, durably: wake the sender. Must not throw. */
  readonly onEvent?: () => void;
  readonly clockQuality?: typeof systemClockQuality;
  readonly outboxBounds?: OutboxBounds;
  /** Taken already by the caller, who keeps it. */
  readonly ownership?: Ownership;
  /** Clips whose writer is at work, when it outlives this ledger: it may be closed and opened again meanwhile. */
  readonly writing?: Set<string>;
}

const UNTOLD: Pick<Conditions, 'raise' | 'clear'> = { raise: () => undefined, clear: () => undefined };

/** Free disk that clips leave alone. */
export const MIN_FREE_BYTES = 256 * 1024 * 1024;

/** Opens the ledger: one owner, WAL, every commit on disk. Leases of an earlier process are void.
 *  @throws Failure `transient` (in use), `rejected` (written by a newer version), `corrupt`, `exhausted` */
export function createLedger(deps: LedgerDeps): Ledger {
  const { dir, clock, log, maxBytes, leaseMs, recoverTorn, random } = deps;
  const { minFreeBytes = MIN_FREE_BYTES, reserveBytes = RESERVE_BYTES } = deps;
  const { freeBytes = () => freeBytesOf(dir), conditions = UNTOLD } = deps;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const ownership = deps.ownership ?? takeOwnership(dir);
  const letGo = () => {
    if (!deps.ownership) ownership.release();
  };
  const reserve = createDiskReserve({ dir, bytes: reserveBytes, freeBytes, conditions, log });
  let opened: ReturnType<typeof openKnowing>;
  try {
    opened = openKnowing({ dir, clock, log, reserve });
  } catch (error) {
    letGo();
    throw error;
  }
  const { db, unread } = opened;
  const { clockQuality = systemClockQuality } = deps;
  const outbox = createOutbox({
    db,
    clock,
    log,
    clockQuality,
    random,
    onEvent: () => deps.onEvent?.(),
    bounds: deps.outboxBounds ?? { rows: OUTBOX_ROWS_MAX, bytes: OUTBOX_BYTES_MAX },
  });
  const rows = createClipRows({
    ...{ db, dir, clock },
    onMove(event, row) {
      outbox.moved(event, row);
      if (row.on_disk === 0) gone.touched(row.clip_id);
    },
  });
  const gone = createGoneJournal({ db, rows, dir, unread, clock, log });
  const intentOf = intentsIn(db);
  const toBeAsked = toBeAskedIn(db);
  const removal = createRemoval({ db, rows, dir, reserve, gone, log });
  const unremovable = createUnremovable({ clock, conditions });
  const losses = createLosses({ db, rows, conditions, clock });
  losses.recall();
  const quarantine = createQuarantine({ db, rows, dir, maxBytes, reserve, losses, conditions, log });
  const budget = createBudget({
    ...{ db, removal, unremovable, quarantine, reserve, dir, log, maxBytes, minFreeBytes, freeBytes },
  });
  const root = createClipsRoot({ db, dir });
  let awayCameras: ReadonlySet<string> = new Set();
  const book = createClipRepository({
    isAway: (cameraId) => awayCameras.has(cameraId),
    db,
    rows,
    outbox,
    budget,
    removal,
    quarantine,
    root,
    dir,
    clock,
    log,
    random,
  });
  const paid =
    <A extends unknown[], R>(work: (...args: A) => R) =>
    (...args: A): R =>
      reserve.pay(() => work(...args));
  const leases = createLeases({ db, rows, clock, leaseMs });
  const inbox = createInbox({ db, rows, conditions, clock, log });
  /** Clips opened by this process whose writer has not reported yet. */
  const writing = deps.writing ?? new Set<string>();
  const isWriting = (clipId: string) => writing.has(clipId);
  const { seal, lose } = book;
  const recovery = createRecovery({
    ...{ db, rows, dir, log, recoverTorn, quarantine, intentOf },
    seal: paid(seal),
    lose,
    losses,
  });
  const unsealed = createUnsealed({ rows, recovery, seal: paid(seal), clock, conditions, log });
  reserve.pay(() => leases.voidEarlier());
  const parked = createParked({ db, rows, clock });
  reserve.pay(() => parked.recall());

  let isClosed = false;
  /** What others are told, and what is kept elsewhere, of what was committed. */
  const afterCommit = () => {
    outbox.announce();
    gone.flush();
  };
  const breathe = createBreathe(() => isClosed);
  const adoption = createAdoption({
    ...{ db, rows, dir, log, recoverTorn, breathe },
    seal: paid(seal),
    ...{ lose, isWriting, clock, clockQuality },
  });
  const misplaced = createMisplaced({ db, rows, dir, root, quarantine, breathe, log });
  const repairs = {
    ...book,
    recover: (row: ClipRow) => recovery.recover(row, true),
    takeUp: (row: ClipRow) => recovery.takeUp(row),
    salvage: (row: ClipRow, why: string) => recovery.salvage(row, why),
    bringBack: () => misplaced.bringBack(),
    losses,
    setAside(path: string, cameraId: string, name: string) {
      const at = quarantine.setAside(path, cameraId, name);
      const row = rows.get(clipIdIn(name) ?? '');
      if (row)
        db.transaction(() => rows.note(row.clip_id, 'set-aside', `${path} lies in ${at} now`)).immediate();
      return at;
    },
    discardEvent: outbox.discard,
  };

  function recordingOf({ clip_id }: ClipRow): 'writing' | 'ended' | { waits: string } {
    if (isWriting(clip_id)) return 'writing';
    const waits = unsealed.reasonOf(clip_id);
    return waits === undefined ? 'ended' : { waits };
  }

  async function look({ repair, ...options }: { repair: boolean; deep?: boolean; filesOnly?: boolean }) {
    try {
      const checked = await checkLedger({
        ...{ db, dir, breathe, recordingOf, isWriting, intentOf, toBeAsked, ...options },
        ...(repair ? { notAdopted: await adoption.run(), repairs } : {}),
      });
      tending.looked(checked);
      awayCameras = checked.awayCameras;
      return checked;
    } finally {
      afterCommit();
    }
  }
  const tending = createTending({
    ...{ root, budget, reserve, quarantine, removal, unsealed, losses, breathe, conditions, clock },
    emptyLog: () => reserve.pay(() => emptyLog(db)),
    folding: createFolding({ db, dir, clock, clockQuality, log }),
    look: () => look({ repair: true, filesOnly: true }),
  });

  /** Errors of SQLite and the system leave the ledger as a `Failure`. */
  const guardedCall =
    <A extends unknown[], R>(name: string, work: (...args: A) => R) =>
    (...args: A): R => {
      ownership.confirm();
      try {
        return guarded(`ledger.${name}`, () => work(...args));
      } finally {
        // Also when it failed: room may have been made, and clips given up, before it did.
        afterCommit();
      }
    };

  return {
    openClip: guardedCall('open-clip', (request) => {
      const clip = book.openClip(request);
      writing.add(clip.clipId);
      return clip;
    }),
    enterClips: guardedCall('enter-clips', (clips) =>
      reserve.pay(() =>
        db
          .transaction(() => {
            for (const { clip, detail } of clips)
              if (!rows.get(clip.clipId) && !rows.folded(clip.clipId)) enterClip(rows, clip, detail);
          })
          .immediate(),
      ),
    ),
    sealClip(clipId, written) {
      writing.delete(clipId);
      try {
        return guardedCall('seal', () =>
          rows.toClip(reserve.pay(() => seal(clipId, written, written.detail ?? null))),
        )();
      } catch (error) {
        if (mayPass(error))
          unsealed.wait(clipId, error.kind === 'corrupt' ? undefined : written, error.message);
        throw error;
      }
    },
    loseClip: guardedCall('lose', (clipId, reason) => {
      writing.delete(clipId);
      book.lose(clipId, reason);
    }),
    async recoverClip(clipId) {
      writing.delete(clipId);
      try {
        const row = guarded('ledger.recover', () => rows.require(clipId));
        // Sealed before its writer died.
        if (row.state !== 'recording') return;
        const outcome = await recovery.recover(row, true).finally(afterCommit);
        if (typeof outcome === 'string') unsealed.settled(clipId);
        else unsealed.wait(clipId, undefined, outcome.failed);
      } catch (error) {
        if (!mayPass(error)) throw error;
        unsealed.wait(clipId, undefined, error.message);
      }
    },
    // What is uploaded may go: these help to make room.
    // What is away cannot be read.
    leaseNext: guardedCall('lease', () => (root.away() === undefined ? paid(leases.leaseNext)() : undefined)),
    settleUploaded: guardedCall('settle', paid(leases.settleUploaded)),
    settleFailed: guardedCall('settle', paid(leases.settleFailed)),
    settleParked: guardedCall('settle', (lease, reason) => {
      const settled = reserve.pay(() => leases.settleParked(lease, reason));
      if (settled) parked.begin(lease.clip.clipId);
      return settled;
    }),
    noteNotInStorage: guardedCall('note-storage', paid(leases.noteNotInStorage)),
    returnParked: guardedCall('return-parked', paid(parked.returnParked)),
    retryClip: guardedCall('retry-clip', paid(parked.retryClip)),
    parked: guardedCall('parked', parked.parked),
    nextLeaseInMs: guardedCall('next-lease', leases.nextLeaseInMs),
    storeMessage: guardedCall('store-message', inbox.storeMessage),
    drainInbox: guardedCall('drain-inbox', inbox.drainInbox),
    applyVerdict: guardedCall('apply-verdict', inbox.applyVerdict),
    noteRefusedVerdict: guardedCall('note-verdict', inbox.noteRefusedVerdict),
    awaitingVerdict: guardedCall('awaiting-verdict', book.awaitingVerdict),
    async returnToQueue(clipId, reason) {
      ownership.confirm();
      try {
        await book.returnToQueue(clipId, reason);
      } catch (error) {
        throw classify(error, 'ledger.requeue');
      } finally {
        outbox.announce();
      }
    },
    tell: (event, data) => guardedCall('tell', () => outbox.tell(event, data))(),
    outgoing: guardedCall('outgoing', outbox.outgoing),
    settleOutgoing: guardedCall('settle-outgoing', outbox.settleOutgoing),
    clip: guardedCall('clip', book.clip),
    clips: guardedCall('clips', book.clips),
    custody: guardedCall('custody', rows.custody),
    summary: guardedCall('summary', book.summary),
    check: async (options) => reportOf(await look(options)),
    tend: () => tending.tend().finally(afterCommit),
    backupBegins: () => gone.mark(),
    close() {
      isClosed = true;
      gone.close();
      db.close();
      letGo();
    },
  };
}
