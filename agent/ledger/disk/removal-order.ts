import type { ClipRow } from '../clips/clip-rows.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import type { Unremovable } from './unremovable.ts';

/** Files removed in one go: what the event loop is held for, on a slow card. */
export const REMOVALS_PER_STEP = 16;

/** in storage: clips whose file is a copy · all: after those, clips that are nowhere else. */
export type MayGo = 'in storage' | 'all';

export interface RemovalOrder {
  /** The oldest of what may go until `bytes` are together, at most a step's worth. Cameras whose files could not be
   *  removed come last. */
  next(bytes: number, mayGo: MayGo): ClipRow[];
}

/** In which order files of clips go: the judged, the uploaded, then those that are nowhere else; the oldest first. */
export function createRemovalOrder(
  db: Database,
  unremovable: Pick<Unremovable, 'waitingCameras' | 'waitingClips'>,
): RemovalOrder {
  const [judged, uploaded, onlyHere] = [['judged'], ['uploaded'], ['sealed', 'parked']].map((states) =>
    prepareRows<[{ clips: string; cameras: string; limit: number }], ClipRow>(
      db,
      'clips',
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
  const statements = { 'in storage': [judged, uploaded], all: [judged, uploaded, onlyHere] };

  return {
    next(bytes, mayGo) {
      const clips: ClipRow[] = [];
      let planned = 0;
      const waiting = unremovable.waitingCameras();
      for (const cameras of waiting.length > 0 ? [waiting, []] : [[]])
        for (const statement of statements[mayGo]) {
          if (planned >= bytes || clips.length >= REMOVALS_PER_STEP) break;
          const leftAlone = [...unremovable.waitingClips(), ...clips.map(({ clip_id }) => clip_id)];
          const found = statement?.all({
            clips: JSON.stringify(leftAlone),
            cameras: JSON.stringify(cameras),
            limit: REMOVALS_PER_STEP - clips.length,
          });
          for (const row of found ?? []) {
            if (planned >= bytes) break;
            clips.push(row);
            planned += row.bytes ?? 0;
          }
        }
      return clips;
    },
  };
}
