import { classify } from '../kernel/classify.ts';
import { createBreathe } from './breathe.ts';
import { type CheckReport, reportOf } from './check/check.ts';
import type { CustodyEntry } from './clips/clip-rows.ts';
import type { Clips } from './clips/clips.ts';
import { createFolding } from './clips/folding.ts';
import { emptyLog } from './database/database.ts';
import { createGuardedCall } from './guarded-call.ts';
import { type LedgerDeps, openLedgerParts } from './ledger-parts.ts';
import { createLook, type LookOptions } from './looks.ts';
import type { Inbox } from './queues/inbox.ts';
import type { Leases } from './queues/leases.ts';
import type { OutgoingEvents } from './queues/outbox.ts';
import type { ParkedClips } from './queues/parked.ts';
import { createTending } from './tending.ts';
import { createWriterCalls, type WriterCalls } from './writer-calls.ts';

export { type LedgerDeps, MIN_FREE_BYTES } from './ledger-parts.ts';
export type { CheckReport } from './check/check.ts';
export type { ClipGlance } from './clip-glances.ts';
export type { LedgerSummary } from './clips/clip-queries.ts';
export type { JudgedPerson } from './clips/judged-clips.ts';
export type { TornClip, WrittenClip } from './clips/clip-files.ts';
export type { Clip, CustodyEntry } from './clips/clip-rows.ts';
export type { InboxMessage } from './queues/inbox.ts';
export type { Lease } from './queues/leases.ts';
export type { ClipState } from './clips/clip-states.ts';
export { keepThumbnail, THUMBNAIL_MAX_BYTES, thumbnailOf } from './clips/thumbnails.ts';
export type { OutgoingEvent } from './queues/outbox.ts';

/** Custody of every clip: rows in SQLite, files beside it. */
export interface Ledger extends Clips, WriterCalls, Leases, ParkedClips, Inbox, OutgoingEvents {
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

/** Opens the ledger: one owner, WAL, every commit on disk. Leases of an earlier process are void.
 *  @throws Failure `transient` (in use), `rejected` (written by a newer version), `corrupt`, `exhausted` */
export function createLedger(deps: LedgerDeps): Ledger {
  const parts = openLedgerParts(deps);
  const { dir, clock, log, conditions, clockQuality, ownership, db, rows, root, paid } = parts;
  const { outbox, inbox, leases, parked, gone } = parts;
  const { reserve, removal, losses, quarantine, budget, book, unsealed } = parts;

  let isClosed = false;
  /** What others are told, and what is kept elsewhere, of what was committed. */
  const afterCommit = () => {
    outbox.announce();
    gone.flush();
  };
  const breathe = createBreathe(() => isClosed);
  const lookAt = createLook(parts, breathe);

  async function look(options: LookOptions) {
    try {
      const checked = await lookAt(options);
      tending.looked(checked);
      parts.away.cameras = checked.awayCameras;
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

  const guardedCall = createGuardedCall(ownership, afterCommit);

  return {
    ...createWriterCalls(parts, guardedCall, afterCommit),
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
    judgedPersons: guardedCall('judged-persons', book.judgedPersons),
    judgedWithoutPerson: guardedCall('judged-without-person', book.judgedWithoutPerson),
    glance: guardedCall('glance', book.glance),
    recordedMs: guardedCall('recordedMs', book.recordedMs),
    lastChange: guardedCall('last-change', book.lastChange),
    changes: guardedCall('changes', book.changes),
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
      // Whatever a failing disk says to one of them: what stays open keeps the ledger from being opened again.
      try {
        gone.close();
      } finally {
        try {
          db.close();
        } finally {
          parts.letGo();
        }
      }
    },
  };
}
