import { basename } from 'node:path';
import type { Log } from '../../../kernel/log.ts';
import type { Database } from '../../database/database.ts';
import type { Quarantine } from '../../disk/quarantine.ts';
import { cameraDir, clipPaths, clipsDir, entryAt, sha256Of, sizeOf } from '../clip-files.ts';
import type { ClipRow, ClipRows } from '../clip-rows.ts';
import { nextState } from '../clip-states.ts';
import type { ClipsRoot } from '../clips-root.ts';

export interface RequeueDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly quarantine: Pick<Quarantine, 'setAside'>;
  readonly root: Pick<ClipsRoot, 'away'>;
  /** Whether the files of a camera were away as a whole at the last look. */
  readonly isAway: (cameraId: string) => boolean;
  readonly lose: (clipId: string, reason: string) => void;
  readonly dir: string;
  readonly log: Log;
}

/** Its blob is gone: the clip goes back to the upload queue when its file is here and whole.
 *  @returns `Clips.returnToQueue` */
export function createRequeue({ db, rows, quarantine, root, isAway, lose, dir, log }: RequeueDeps) {
  const pathsOf = (row: ClipRow) => clipPaths(dir, row.camera_id, row.clip_id);
  const inTransaction = <T>(work: () => T): T => db.transaction(work).immediate();

  /** Nothing can be told of its file. */
  function filesAreAway(row: ClipRow): boolean {
    if (root.away() !== undefined || isAway(row.camera_id)) return true;
    // Without a file no folder need be there.
    const folder = row.on_disk === 1 ? cameraDir(dir, row.camera_id) : clipsDir(dir);
    return entryAt(folder).kind === 'none';
  }

  async function isWhole(row: ClipRow): Promise<boolean> {
    const { file } = pathsOf(row);
    const bytes = sizeOf(file);
    return bytes !== undefined && bytes === row.bytes && (await sha256Of(file)) === row.sha256;
  }

  /** Moves what stands in place of a clip away. @returns the sentence that tells of it */
  function setAside(row: ClipRow): string | undefined {
    const { file, partFile } = pathsOf(row);
    const lies = [file, partFile]
      .filter((path) => entryAt(path).kind !== 'none')
      .map((path) => quarantine.setAside(path, row.camera_id, basename(path)));
    if (lies.length === 0) return undefined;
    const detail = `what stands under its name is not the clip; it lies in ${lies.join(', ')} now`;
    inTransaction(() => rows.note(row.clip_id, 'set-aside', detail));
    return detail;
  }

  return async (clipId: string, reason: string): Promise<void> => {
    const row = rows.require(clipId);
    nextState(clipId, row.state, 'requeue');
    if (filesAreAway(row)) {
      log.warn({ event: 'clip.requeue-waits', clipId, reason }, 'the folder of its files is away');
      return;
    }
    const whole = await isWhole(row);
    // Its verdict came, or an operator asked for it, while the file was read.
    if (rows.get(clipId)?.state !== row.state) return;
    if (!whole) {
      const lies = setAside(row);
      lose(clipId, `${reason}; ${lies ?? 'the file on this disk had been removed'}`);
      return;
    }
    inTransaction(() =>
      rows.move(clipId, 'requeue', reason, {
        ...{ blob_url: null, uploaded_ms: null, retry_at: null, on_disk: 1 },
        reason,
      }),
    );
    log.warn({ event: 'clip.requeued', clipId, reason }, 'clip returned to the upload queue');
  };
}
