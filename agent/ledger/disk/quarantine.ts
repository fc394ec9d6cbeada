import { lstatSync, mkdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Conditions } from '../../kernel/conditions.ts';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import { freeName } from '../../kernel/files/move-aside.ts';
import type { Breathe } from '../breathe.ts';
import type { FoundFile } from '../clips/clip-files.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { DiskReserve } from './disk-reserve.ts';
import type { Losses } from '../clips/losses.ts';
import { createQuarantineFiles, type QuarantineFile } from './quarantine-files.ts';

export const quarantineDir = (dir: string) => join(dir, 'quarantine');
/** Share of the byte budget that files set aside may take. */
const SHARE = 0.1;
/** Below this share of its bound it counts as roomy again. */
const ROOMY = 0.9;
const FILES_MAX = 1_000;
const REMOVALS_PER_STEP = 16;

export interface Quarantine {
  /** Moves something that no row answers for out of the way. It is not deleted.
   *  @returns where it lies now
   *  @throws the system's error; it lies where it was then */
  setAside(path: string, cameraId: string, name: string): string;
  /** What it takes of the disk, as far as it may: what is more goes at the next turn, and no clip for it. */
  bytes(): number;
  /** What lies there under the name of a clip. */
  clipFiles(): FoundFile[];
  /** Removes what was set aside until the bound is kept: first what is of no clip that is missing, the oldest first.
   *  What may be the only copy of a clip that waits for its upload stays. */
  keepBound(breathe: Breathe): Promise<void>;
}

/** Files that belong to no row, or not to what their row says. They are bytes of the disk like all others, and
 *  bounded: a tenth of the byte budget, a thousand files. Holes in them are no bytes. */
export function createQuarantine(deps: {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly maxBytes: number;
  readonly reserve: Pick<DiskReserve, 'pay'>;
  readonly losses: Pick<Losses, 'lost'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly log: Log;
}): Quarantine {
  const { db, rows, dir, reserve, losses, conditions, log } = deps;
  const folder = quarantineDir(dir);
  const maxBytes = deps.maxBytes * SHARE;
  const files = createQuarantineFiles({ rows, dir, folder });
  /** What could not be removed in this process. */
  const stuck = new Set<string>();

  function explain({ name, clipId }: QuarantineFile): void {
    const reason = `${name} was removed from quarantine to keep its bound`;
    log.warn({ event: 'quarantine.removed', file: name, clipId }, reason);
    const row = clipId === undefined ? undefined : rows.get(clipId);
    if (!row) return;
    reserve.pay(() => db.transaction(() => rows.note(row.clip_id, 'quarantine-removed', reason)).immediate());
    if (row.state === 'lost') reserve.pay(() => losses.lost(row.clip_id, reason));
  }

  return {
    bytes: () => Math.min(files.bytes(), maxBytes),

    clipFiles() {
      // A person may have put something there, or taken it.
      files.changed();
      return files
        .list()
        .flatMap(({ name, clipId }) =>
          clipId === undefined ? [] : [{ cameraId: 'quarantine', clipId, name, path: join(folder, name) }],
        );
    },

    setAside(path, cameraId, name) {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
        renameSync(folder, freeName(`${folder}.aside-`));
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      let target = join(folder, `${cameraId}_${name}`);
      for (let copy = 1; lstatSync(target, { throwIfNoEntry: false }); copy++)
        target = join(folder, `${cameraId}_${copy}_${name}`);
      renameSync(path, target);
      files.changed();
      fsyncFolder(folder);
      fsyncFolder(dirname(path));
      return target;
    },

    async keepBound(breathe) {
      files.changed();
      let bytes = files.bytes();
      let left = files.list().length;
      if (bytes <= maxBytes && left <= FILES_MAX) {
        if (bytes < maxBytes * ROOMY && left < FILES_MAX * ROOMY) conditions.clear('quarantine-full');
        return;
      }
      let gone = 0;
      for (const oldest of files.removable()) {
        if (bytes <= maxBytes && left <= FILES_MAX) break;
        if (stuck.has(oldest.name)) continue;
        explain(oldest);
        try {
          unlinkSync(join(folder, oldest.name));
        } catch (error) {
          stuck.add(oldest.name);
          log.error({ event: 'quarantine.stuck', file: oldest.name, err: error }, 'it cannot be removed');
          continue;
        }
        bytes -= oldest.bytes;
        left -= 1;
        gone += 1;
        if (gone % REMOVALS_PER_STEP === 0) await breathe();
      }
      files.changed();
      if (gone > 0) {
        fsyncFolder(folder);
        conditions.raise(
          'quarantine-full',
          `${gone} files that had been set aside in quarantine were removed, oldest first: look at what lies there`,
        );
      }
    },
  };
}
