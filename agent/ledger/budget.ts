import { statfsSync } from 'node:fs';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import { clipPlaces, removeClipFiles, sizeOf } from './clip-files.ts';
import type { ClipRow, ClipRows } from './clip-rows.ts';
import type { Database } from './database.ts';

/** What a clip that is being opened will take when nothing is known yet: 30 s at 4 Mbit/s. */
const FIRST_GUESS_BYTES = 15_000_000;
const SAMPLE = 20;
/** Most files removed to open one clip. */
const REMOVALS_MAX = 1_000;

export interface Budget {
  /** Makes room for one more clip, by the policy of docs/custody.md.
   *  @throws Failure `exhausted` when that cannot be; nothing has been removed then */
  makeRoom(cameraId: string): void;
}

export interface BudgetDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly log: Log;
  /** Most bytes of clips on this disk. */
  readonly maxBytes: number;
  /** Bytes of the disk that are not for clips. */
  readonly minFreeBytes: number;
  readonly freeBytes?: () => number;
}

/** Bytes a program without privileges may still write. */
export function freeBytesOf(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

type Candidate = Pick<ClipRow, 'clip_id' | 'camera_id' | 'state' | 'bytes'>;

/** Bounds what clips take of the disk.
 *  Invariants
 *  1. Files whose clip is in Blob Storage go first: the judged, then the uploaded, each oldest first.
 *  2. A clip that is nowhere else is given up only when (1) does not make room, oldest first, and its row says
 *     which policy did it. Neither a clip being recorded nor one being uploaded is ever given up.
 *  3. The row changes before the file goes, so a cut in between leaves a file to remove, never a lie.
 *  4. When even everything together would not make room, nothing is removed. */
export function createBudget({
  db,
  rows,
  dir,
  log,
  maxBytes,
  minFreeBytes,
  freeBytes = () => freeBytesOf(dir),
}: BudgetDeps): Budget {
  const onDisk = db.prepare<[], number>('SELECT total(bytes) FROM clip_totals WHERE on_disk = 1').pluck();
  const recording = db.prepare<[], Candidate>(
    "SELECT clip_id, camera_id, state, bytes FROM clips WHERE state = 'recording'",
  );
  const largest = db
    .prepare<[string, number], number | null>(
      `SELECT max(bytes) FROM (SELECT bytes FROM clips WHERE camera_id = ? AND bytes IS NOT NULL
       ORDER BY clip_id DESC LIMIT ?)`,
    )
    .pluck();
  const oldest = [['judged'], ['uploaded'], ['sealed', 'parked']].map((states) =>
    db.prepare<[], Candidate>(
      // Merged by SQLite in the order of an index each; IN would sort all of them first.
      `${states
        .map(
          (state) =>
            `SELECT clip_id, camera_id, state, bytes FROM clips WHERE on_disk = 1 AND state = '${state}'`,
        )
        .join(' UNION ALL ')} ORDER BY clip_id LIMIT ${REMOVALS_MAX}`,
    ),
  );

  const expectedBytes = (cameraId: string) =>
    Math.min(largest.get(cameraId, SAMPLE) ?? FIRST_GUESS_BYTES, maxBytes / 4);

  /** Clips being recorded count with what they have, or will have. */
  const usedBytes = () =>
    recording
      .all()
      .reduce(
        (sum, row) =>
          sum +
          Math.max(
            sizeOf(clipPlaces(dir, row.camera_id, row.clip_id).partFile) ?? 0,
            expectedBytes(row.camera_id),
          ),
        onDisk.get() ?? 0,
      );

  function remove(row: Candidate, policy: string): void {
    const givenUp = row.state === 'sealed' || row.state === 'parked';
    const detail = `file removed: ${policy}`;
    db.transaction(() =>
      givenUp
        ? rows.move(row.clip_id, 'lose', detail, { on_disk: 0, reason: detail, retry_at: null })
        : rows.move(row.clip_id, 'unlink', detail, { on_disk: 0 }),
    ).immediate();
    removeClipFiles(clipPlaces(dir, row.camera_id, row.clip_id));
    const fields = { event: givenUp ? 'clip.lost' : 'clip.file-removed', clipId: row.clip_id, policy };
    if (givenUp) log.warn({ ...fields, reason: detail }, 'clip given up before it was uploaded');
    else log.info(fields, 'file of an uploaded clip removed');
  }

  return {
    makeRoom(cameraId) {
      const expected = expectedBytes(cameraId);
      const overBudget = usedBytes() + expected - maxBytes;
      const underFloor = minFreeBytes + expected - freeBytes();
      const needed = Math.max(overBudget, underFloor);
      if (needed <= 0) return;
      const policy = overBudget >= underFloor ? 'byte budget' : 'disk nearly full';

      const plan: Candidate[] = [];
      let freed = 0;
      for (const statement of oldest)
        for (const row of statement.all()) {
          if (freed >= needed || plan.length >= REMOVALS_MAX) break;
          plan.push(row);
          freed += row.bytes ?? 0;
        }
      if (freed < needed)
        throw new Failure(
          'exhausted',
          policy === 'byte budget' ? 'ledger.budget' : 'ledger.disk-full',
          `no room for another clip (${policy}): ${Math.ceil(needed)} bytes are missing and only ${freed} may be removed`,
        );
      for (const row of plan) remove(row, policy);
    },
  };
}
