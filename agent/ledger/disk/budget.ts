import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { createDiskUse, type Need } from './disk-use.ts';
import type { Quarantine } from './quarantine.ts';
import { createRemovalOrder, type MayGo } from './removal-order.ts';
import { type Announced, isInStorage, type Removal } from './removal.ts';
import type { Unremovable } from './unremovable.ts';

/** Steps that a trigger waits for while they free nothing. */
const STEPS_OF_A_TRIGGER = 3;
/** Clips for which room is kept, so that a trigger need not wait for removals. */
const CLIPS_AHEAD = 2;
/** Share of the byte budget that may be kept free for them. */
const SHARE_AHEAD = 1 / 8;
/** Below this what others write hides what a step has freed. */
const TELLING_BYTES = 4_000_000;

export interface Budget {
  /** Makes room for one more clip, by the policy of docs/custody.md, in a bounded step; the rest follows ahead of the
   *  next one.
   *  @throws Failure `exhausted` when that cannot be; nothing has been removed in vain then */
  makeRoom(cameraId: string): void;
  /** Makes room before it is needed, step by step. */
  makeRoomAhead(breathe: Breathe): Promise<void>;
}

export interface BudgetDeps {
  readonly db: Database;
  readonly removal: Pick<Removal, 'announce' | 'carryOut'>;
  readonly unremovable: Unremovable;
  readonly quarantine: Pick<Quarantine, 'bytes'>;
  readonly reserve: Pick<DiskReserve, 'missingBytes'>;
  readonly dir: string;
  readonly log: Log;
  /** Most bytes of clips on this disk. */
  readonly maxBytes: number;
  /** Bytes of the disk that are not for clips. */
  readonly minFreeBytes: number;
  readonly freeBytes: () => number;
}

/** Bounds what clips take of the disk.
 *  Invariants
 *  1. Files whose clip is in Blob Storage go first: the judged, then the uploaded, each oldest first.
 *  2. A clip that is nowhere else is given up only when (1) does not make room, oldest first, and its row says
 *     which policy did it. Neither a clip being recorded nor one being uploaded is ever given up.
 *  3. When even everything together would not make room, nothing is removed.
 *  4. A file that cannot be removed costs no other clip: it is left out of the count, and its row stays. When files
 *     go and the disk gets no room of it, no more of them go.
 *  5. No step removes more than `REMOVALS_PER_STEP` files, and their number never decides what may be recorded. */
export function createBudget(deps: BudgetDeps): Budget {
  const { db, removal, unremovable, quarantine, reserve, dir, log, maxBytes, minFreeBytes, freeBytes } = deps;
  /** Those that have recorded in this process: they will again. */
  const cameras = new Set<string>();
  const use = createDiskUse({ db, unremovable, quarantine, dir, maxBytes, freeBytes });
  const order = createRemovalOrder(db, unremovable);

  /** The first half of a step. @returns undefined when there is nothing that may go now */
  function announceOldest({ bytes, policy }: Need, mayGo: MayGo): Announced | undefined {
    const clips = order.next(bytes, mayGo);
    return clips.length === 0 ? undefined : removal.announce(clips, `file removed: ${policy}`, 'room');
  }

  /** The second half. @returns bytes of the files that went */
  function removeAnnounced(announced: Announced, { policy }: Need): number {
    const before = freeBytes();
    const removed = removal.carryOut(announced);
    for (const row of removed.gone) {
      unremovable.gone(row);
      tell(row, policy, log);
    }
    for (const { row, failure } of removed.kept) unremovable.failed(row, failure);
    if (policy === 'disk nearly full' && removed.bytes > TELLING_BYTES) {
      if (freeBytes() - before < removed.bytes / 2) unremovable.inVain();
      else unremovable.inEarnest();
    }
    return removed.bytes;
  }

  return {
    makeRoom(cameraId) {
      cameras.add(cameraId);
      const expected = use.expectedBytes(cameraId);
      let lacking = use.need(expected, minFreeBytes);
      if (lacking.bytes <= 0) return;
      const mayGo = use.mayGoBytes();
      if (mayGo < lacking.bytes) refuse(lacking, `only ${mayGo} may be removed`);
      if (lacking.policy === 'disk nearly full' && unremovable.isInVain())
        refuse(lacking, 'removing files makes no room');
      for (let step = 0; step < STEPS_OF_A_TRIGGER; step++) {
        const announced = announceOldest(lacking, 'all');
        if (announced && removeAnnounced(announced, lacking) > 0) return;
        // What could not be removed does not count any more.
        lacking = use.need(expected, minFreeBytes);
        if (lacking.bytes <= 0) return;
      }
      refuse(lacking, 'files that may go cannot be removed');
    },

    async makeRoomAhead(breathe) {
      const clipBytes = Math.max(0, ...[...cameras].map((cameraId) => use.expectedBytes(cameraId)));
      const ahead = Math.min(CLIPS_AHEAD * clipBytes, maxBytes * SHARE_AHEAD);
      // What is nowhere else goes as late as it may: for the next clip, and not for the reserve.
      const stages = [
        { expected: ahead, floor: minFreeBytes + reserve.missingBytes(), mayGo: 'in storage' as const },
        { expected: Math.min(clipBytes, ahead), floor: minFreeBytes, mayGo: 'all' as const },
      ];
      for (const { expected, floor, mayGo } of stages)
        for (;;) {
          const lacking = use.need(expected, floor);
          if (lacking.bytes <= 0 || use.mayGoBytes() < lacking.bytes) break;
          if (lacking.policy === 'disk nearly full' && unremovable.isInVain()) break;
          // Ends: every turn removes files, or there is nothing that may go now.
          const announced = announceOldest(lacking, mayGo);
          if (!announced) break;
          await breathe();
          if (removeAnnounced(announced, lacking) === 0) break;
          await breathe();
        }
    },
  };
}

function tell(row: ClipRow, policy: Need['policy'], log: Log): void {
  const fields = { clipId: row.clip_id, policy };
  if (isInStorage(row))
    log.info({ ...fields, event: 'clip.file-removed' }, 'file of an uploaded clip removed');
  else
    log.warn(
      { ...fields, event: 'clip.lost', reason: `file removed: ${policy}` },
      'clip given up before it was uploaded',
    );
}

function refuse({ bytes, policy }: Need, why: string): never {
  throw new Failure(
    'exhausted',
    policy === 'byte budget' ? 'ledger.budget' : 'ledger.disk-full',
    `no room for another clip (${policy}): ${Math.ceil(bytes)} bytes are missing and ${why}`,
  );
}
