import { mkdirSync } from 'node:fs';
import { clockQuality as systemClockQuality } from '../kernel/clock-quality.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Log } from '../kernel/log.ts';
import type { TornClip } from './clips/clip-files.ts';
import { createClipRows } from './clips/clip-rows.ts';
import { createClipRepository } from './clips/clips.ts';
import { createClipsRoot } from './clips/clips-root.ts';
import { createLosses } from './clips/losses.ts';
import { createRecovery } from './clips/recovery.ts';
import { createUnsealed } from './clips/unsealed.ts';
import { type Ownership, takeOwnership } from './database/ownership.ts';
import { createBudget } from './disk/budget.ts';
import { createDiskReserve, RESERVE_BYTES } from './disk/disk-reserve.ts';
import { freeBytesOf } from './disk/disk-use.ts';
import { createGoneJournal } from './disk/gone-journal.ts';
import { createQuarantine } from './disk/quarantine.ts';
import { openKnowing } from './disk/recall-gone.ts';
import { createRemoval, intentsIn } from './disk/removal.ts';
import { createUnremovable } from './disk/unremovable.ts';
import { createInbox } from './queues/inbox.ts';
import { createLeases } from './queues/leases.ts';
import { createOutbox, OUTBOX_BYTES_MAX, OUTBOX_ROWS_MAX, type OutboxBounds } from './queues/outbox.ts';
import { createParked } from './queues/parked.ts';

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

/** Free disk that clips leave alone. */
export const MIN_FREE_BYTES = 256 * 1024 * 1024;

const UNTOLD: Pick<Conditions, 'raise' | 'clear'> = { raise: () => undefined, clear: () => undefined };

export type LedgerParts = ReturnType<typeof openLedgerParts>;

/** Takes the folder, opens the database, and makes what works on it. Leases of an earlier process are void.
 *  @throws as `createLedger`; the folder is let go of then */
export function openLedgerParts(deps: LedgerDeps) {
  const { dir, clock, log, maxBytes, leaseMs, recoverTorn, random } = deps;
  const { minFreeBytes = MIN_FREE_BYTES, reserveBytes = RESERVE_BYTES } = deps;
  const { freeBytes = () => freeBytesOf(dir), conditions = UNTOLD } = deps;
  const { clockQuality = systemClockQuality, writing = new Set<string>() } = deps;
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
  const { db, lines, unread } = opened;
  const paid =
    <A extends unknown[], R>(work: (...args: A) => R) =>
    (...args: A): R =>
      reserve.pay(() => work(...args));

  const outbox = createOutbox({
    ...{ db, clock, log, clockQuality, random },
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
  const gone = createGoneJournal({ db, rows, dir, lines, unread, clock, log });
  const removal = createRemoval({ db, rows, dir, reserve, gone, log });
  const unremovable = createUnremovable({ clock, conditions });
  const losses = createLosses({ db, rows, conditions, clock });
  losses.recall();
  const quarantine = createQuarantine({ db, rows, dir, maxBytes, reserve, losses, conditions, log });
  const budget = createBudget({
    ...{ db, removal, unremovable, quarantine, reserve, dir, log, maxBytes, minFreeBytes, freeBytes },
  });
  const root = createClipsRoot({ db, dir });
  /** Cameras whose files were away as a whole at the last look. */
  const away: { cameras: ReadonlySet<string> } = { cameras: new Set() };
  const book = createClipRepository({
    isAway: (cameraId) => away.cameras.has(cameraId),
    ...{ db, rows, outbox, budget, removal, quarantine, root, dir, clock, log, random },
  });
  const leases = createLeases({ db, rows, clock, leaseMs });
  const inbox = createInbox({ db, rows, conditions, clock, log });
  const intentOf = intentsIn(db);
  const seal = paid(book.seal);
  const recovery = createRecovery({
    ...{ db, rows, dir, log, recoverTorn, quarantine, intentOf, seal, losses },
    lose: book.lose,
  });
  const unsealed = createUnsealed({ rows, recovery, seal, clock, conditions, log });
  reserve.pay(() => leases.voidEarlier());
  const parked = createParked({ db, rows, clock });
  reserve.pay(() => parked.recall());

  return {
    ...{ dir, clock, log, conditions, clockQuality, recoverTorn },
    ...{ ownership, letGo, db, rows, root, away, writing, seal, paid },
    ...{ outbox, inbox, leases, parked, gone },
    ...{ reserve, removal, losses, quarantine, budget, book, recovery, unsealed, intentOf },
  };
}
