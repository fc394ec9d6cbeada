import { statfsSync } from 'node:fs';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import { clipPlaces, entryAt } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { DiskReserve } from './disk-reserve.ts';
import type { Quarantine } from './quarantine.ts';
import { type Announced, isInStorage, type Removal } from './removal.ts';
import { clipTotals } from '../clips/totals.ts';
import type { Unremovable } from './unremovable.ts';

/** What a clip that is being opened will take when nothing is known yet: 30 s at 4 Mbit/s. */
export const FIRST_GUESS_BYTES = 15_000_000;
const SAMPLE = 20;
/** Files removed in one go: what the event loop is held for, on a slow card. */
export const REMOVALS_PER_STEP = 16;
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

/** Bytes a program without privileges may still write. */
export function freeBytesOf(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** States in which the file of a clip may be removed. */
const MAY_GO: ReadonlySet<ClipRow['state']> = new Set(['judged', 'uploaded', 'sealed', 'parked']);

interface Need {
  readonly bytes: number;
  readonly policy: 'byte budget' | 'disk nearly full';
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
  const totals = clipTotals(db);
  /** Those that have recorded in this process: they will again. */
  const cameras = new Set<string>();
  /** Of what could not be removed. */
  const stuck = db
    .prepare<[string], number>(
      'SELECT total(bytes) FROM clips WHERE on_disk = 1 AND clip_id IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const recording = db.prepare<[], ClipRow>("SELECT * FROM clips WHERE state = 'recording'");
  const largest = db
    .prepare<[string, number], number | null>(
      `SELECT max(bytes) FROM (SELECT bytes FROM clips WHERE camera_id = ? AND bytes IS NOT NULL
       ORDER BY clip_id DESC LIMIT ?)`,
    )
    .pluck();
  const oldest = [['judged'], ['uploaded'], ['sealed', 'parked']].map((states) =>
    db.prepare<[{ clips: string; cameras: string; limit: number }], ClipRow>(
      // Merged by SQLite in the order of an index each; IN would sort all of them first.
      `${states
        .map(
          (state) =>
            `SELECT * FROM clips WHERE on_disk = 1 AND state = '${state}'
             AND clip_id NOT IN (SELECT value FROM json_each(:clips))
             AND camera_id NOT IN (SELECT value FROM json_each(:cameras))`,
        )
        .join(' UNION ALL ')} ORDER BY clip_id LIMIT :limit`,
    ),
  );

  const bytesOf = (counts: (state: ClipRow['state']) => boolean) =>
    totals().reduce((sum, { state, onDisk, bytes }) => sum + (onDisk === 1 && counts(state) ? bytes : 0), 0);
  /** Asked of the rows only when there is something: that is rare, and they are many. */
  function stuckBytes(): number {
    const clips = unremovable.clips();
    return clips.length === 0 ? 0 : (stuck.get(JSON.stringify(clips)) ?? 0);
  }

  const bounded = (bytes: number | null | undefined) => Math.min(bytes ?? FIRST_GUESS_BYTES, maxBytes / 4);
  const expectedBytes = (cameraId: string) => bounded(largest.get(cameraId, SAMPLE));

  function recordingBytes(row: ClipRow): number {
    try {
      const { partFile } = clipPlaces(dir, row.camera_id, row.clip_id);
      const entry = entryAt(partFile);
      return Math.max(entry.kind === 'file' ? entry.heldBytes : 0, expectedBytes(row.camera_id));
    } catch {
      // A file that cannot be looked at is counted with what it should have; the check reports it.
      return expectedBytes(row.camera_id);
    }
  }

  /** Clips being recorded count with what they have, or will have. */
  const usedBytes = () =>
    recording.all().reduce((sum, row) => sum + recordingBytes(row), 0) +
    bytesOf(() => true) +
    quarantine.bytes() -
    stuckBytes();

  function need(expected: number, floor: number): Need {
    const overBudget = usedBytes() + expected - maxBytes;
    const underFloor = floor + expected - freeBytes();
    return overBudget >= underFloor
      ? { bytes: overBudget, policy: 'byte budget' }
      : { bytes: underFloor, policy: 'disk nearly full' };
  }

  const mayGoBytes = () => Math.max(0, bytesOf((state) => MAY_GO.has(state)) - stuckBytes());

  /** The oldest of what may go, at most a step's worth. Cameras whose files could not be removed come last. */
  function plan(bytes: number, classes: typeof oldest): ClipRow[] {
    const clips: ClipRow[] = [];
    let planned = 0;
    const waiting = unremovable.waitingCameras();
    for (const cameras of waiting.length > 0 ? [waiting, []] : [[]])
      for (const statement of classes) {
        if (planned >= bytes || clips.length >= REMOVALS_PER_STEP) break;
        const leftAlone = [...unremovable.waitingClips(), ...clips.map(({ clip_id }) => clip_id)];
        const found = statement.all({
          clips: JSON.stringify(leftAlone),
          cameras: JSON.stringify(cameras),
          limit: REMOVALS_PER_STEP - clips.length,
        });
        for (const row of found) {
          if (planned >= bytes) break;
          clips.push(row);
          planned += row.bytes ?? 0;
        }
      }
    return clips;
  }

  /** The first half of a step. @returns undefined when there is nothing that may go now */
  function announceOldest({ bytes, policy }: Need, classes = oldest): Announced | undefined {
    const clips = plan(bytes, classes);
    return clips.length === 0 ? undefined : removal.announce(clips, `file removed: ${policy}`, 'room');
  }

  /** The second half. @returns bytes of the files that went */
  function removeAnnounced(announced: Announced, { policy }: Need): number {
    const before = freeBytes();
    const removed = removal.carryOut(announced);
    for (const row of removed.gone) {
      unremovable.gone(row);
      tell(row, policy);
    }
    for (const { row, failure } of removed.kept) unremovable.failed(row, failure);
    if (policy === 'disk nearly full' && removed.bytes > TELLING_BYTES) {
      if (freeBytes() - before < removed.bytes / 2) unremovable.inVain();
      else unremovable.inEarnest();
    }
    return removed.bytes;
  }

  function tell(row: ClipRow, policy: Need['policy']): void {
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

  return {
    makeRoom(cameraId) {
      cameras.add(cameraId);
      const expected = expectedBytes(cameraId);
      let lacking = need(expected, minFreeBytes);
      if (lacking.bytes <= 0) return;
      const mayGo = mayGoBytes();
      if (mayGo < lacking.bytes) refuse(lacking, `only ${mayGo} may be removed`);
      if (lacking.policy === 'disk nearly full' && unremovable.isInVain())
        refuse(lacking, 'removing files makes no room');
      for (let step = 0; step < STEPS_OF_A_TRIGGER; step++) {
        const announced = announceOldest(lacking);
        if (announced && removeAnnounced(announced, lacking) > 0) return;
        // What could not be removed does not count any more.
        lacking = need(expected, minFreeBytes);
        if (lacking.bytes <= 0) return;
      }
      refuse(lacking, 'files that may go cannot be removed');
    },

    async makeRoomAhead(breathe) {
      const clipBytes = Math.max(0, ...[...cameras].map(expectedBytes));
      const ahead = Math.min(CLIPS_AHEAD * clipBytes, maxBytes * SHARE_AHEAD);
      // What is nowhere else goes as late as it may: for the next clip, and not for the reserve.
      const stages = [
        { expected: ahead, floor: minFreeBytes + reserve.missingBytes(), classes: oldest.slice(0, 2) },
        { expected: Math.min(clipBytes, ahead), floor: minFreeBytes, classes: oldest },
      ];
      for (const { expected, floor, classes } of stages)
        for (;;) {
          const lacking = need(expected, floor);
          if (lacking.bytes <= 0 || mayGoBytes() < lacking.bytes) break;
          if (lacking.policy === 'disk nearly full' && unremovable.isInVain()) break;
          // Ends: every turn removes files, or there is nothing that may go now.
          const announced = announceOldest(lacking, classes);
          if (!announced) break;
          await breathe();
          if (removeAnnounced(announced, lacking) === 0) break;
          await breathe();
        }
    },
  };
}
