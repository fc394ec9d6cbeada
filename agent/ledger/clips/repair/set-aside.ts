import { basename } from 'node:path';
import type { Log } from '../../../kernel/log.ts';
import type { Database } from '../../database/database.ts';
import type { Quarantine } from '../../disk/quarantine.ts';
import { clipPaths, type Entry, entryAt } from '../clip-files.ts';
import type { ClipRow, ClipRows } from '../clip-rows.ts';
import type { Losses } from '../losses.ts';

export interface SetAsideDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly quarantine: Pick<Quarantine, 'setAside'>;
  readonly losses: Pick<Losses, 'lost'>;
  readonly log: Log;
}

export interface SetAside {
  /** What stands under the names of a clip: the part file's, then the finished file's. */
  entriesOf(row: ClipRow): { path: string; entry: Entry }[];
  /** Moves whatever stands there out of the way.
   *  @returns where it lies now
   *  @throws the system's error */
  clear(row: ClipRow): string[];
  /** The same for a clip that is given up for it.
   *  @param message why its file is of no use */
  lose(row: ClipRow, message: string): void;
}

/** Files of clips that cannot be played or read go to quarantine: they may be evidence, and are never deleted. */
export function createSetAside({ db, rows, dir, quarantine, losses, log }: SetAsideDeps): SetAside {
  const entriesOf = (row: ClipRow) => {
    const { partFile, file } = clipPaths(dir, row.camera_id, row.clip_id);
    return [partFile, file].map((path) => ({ path, entry: entryAt(path) }));
  };

  function clear(row: ClipRow): string[] {
    return entriesOf(row)
      .filter(({ entry }) => entry.kind !== 'none')
      .map(({ path }) => quarantine.setAside(path, row.camera_id, basename(path)));
  }

  return {
    entriesOf,
    clear,
    lose(row, message) {
      const reason = `the file could not be repaired (${message}) and was set aside in quarantine`;
      // Files first: a row says `lost` when its file is out of the way.
      clear(row);
      db.transaction(() => rows.move(row.clip_id, 'lose', reason, { on_disk: 0, reason })).immediate();
      losses.lost(row.clip_id, reason);
      log.error({ event: 'clip.lost', clipId: row.clip_id, reason }, 'clip set aside');
    },
  };
}
