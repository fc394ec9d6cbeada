import { lstatSync, mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Conditions } from '../kernel/conditions.ts';
import { fsyncFolder } from '../kernel/durable-file.ts';
import type { Log } from '../kernel/log.ts';
import type { Breathe } from './breathe.ts';
import { isOfSystem } from './clip-files.ts';
import { isClipId } from './clip-id.ts';
import type { ClipRows } from './clip-rows.ts';
import type { Database } from './database.ts';
import type { DiskReserve } from './disk-reserve.ts';

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
  /** What it takes of the disk. */
  bytes(): number;
  /** Removes the oldest of what was set aside until the bound is kept; the newest always stays. */
  keepBound(breathe: Breathe): Promise<void>;
}

interface Kept {
  readonly name: string;
  readonly bytes: number;
  /** When it was set aside. */
  readonly sinceMs: number;
}

/** Files that belong to no row, or not to what their row says. They are bytes of the disk like all others, and
 *  bounded: a tenth of the byte budget, a thousand files. */
export function createQuarantine(deps: {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly maxBytes: number;
  readonly reserve: Pick<DiskReserve, 'pay'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly log: Log;
}): Quarantine {
  const { db, rows, dir, reserve, conditions, log } = deps;
  const folder = quarantineDir(dir);
  const maxBytes = deps.maxBytes * SHARE;
  let known: readonly Kept[] | undefined;
  /** What could not be removed in this process. */
  const stuck = new Set<string>();

  /** What cannot be looked at is not counted: it must not keep a clip from being recorded. */
  function read(): Kept[] {
    try {
      return readdirSync(folder).flatMap((name) => {
        // Removed by a person since the folder was read.
        const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
        return stats?.isFile() ? [{ name, bytes: stats.size, sinceMs: stats.ctimeMs }] : [];
      });
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      return [];
    }
  }

  function list(): readonly Kept[] {
    known ??= read().toSorted((a, b) => a.sinceMs - b.sinceMs || (a.name < b.name ? -1 : 1));
    return known;
  }
  const total = () => list().reduce((sum, { bytes }) => sum + bytes, 0);

  function explain({ name }: Kept): void {
    const clipId = /_([0-9A-Z]{26})\.mp4/.exec(name)?.[1];
    const reason = `${name} was removed from quarantine to keep its bound`;
    log.warn({ event: 'quarantine.removed', file: name, clipId }, reason);
    if (clipId === undefined || !isClipId(clipId) || !rows.get(clipId)) return;
    reserve.pay(() => db.transaction(() => rows.note(clipId, 'quarantine-removed', reason)).immediate());
  }

  return {
    bytes: total,

    setAside(path, cameraId, name) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      let target = join(folder, `${cameraId}_${name}`);
      for (let copy = 1; lstatSync(target, { throwIfNoEntry: false }); copy++)
        target = join(folder, `${cameraId}_${copy}_${name}`);
      renameSync(path, target);
      known = undefined;
      fsyncFolder(folder);
      fsyncFolder(dirname(path));
      return target;
    },

    async keepBound(breathe) {
      known = undefined;
      const files = list();
      let bytes = total();
      let left = files.length;
      let gone = 0;
      for (const oldest of files.slice(0, -1)) {
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
      known = undefined;
      if (gone > 0) {
        fsyncFolder(folder);
        conditions.raise(
          'quarantine-full',
          `${gone} files that had been set aside in quarantine were removed, oldest first: look at what lies there`,
        );
      } else if (bytes < maxBytes * ROOMY && left < FILES_MAX * ROOMY) conditions.clear('quarantine-full');
    },
  };
}
