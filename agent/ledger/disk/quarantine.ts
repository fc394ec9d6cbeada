import { lstatSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Conditions } from '../../kernel/conditions.ts';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import { freeName } from '../../kernel/files/move-aside.ts';
import type { Breathe } from '../breathe.ts';
import { clipPlaces, entryAt, type FoundFile, heldBytesOf, isOfSystem } from '../clips/clip-files.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { DiskReserve } from './disk-reserve.ts';
import type { Losses } from '../clips/losses.ts';
import { isInStorage } from './removal.ts';
import { isOwnClipId } from '../clips/clip-id.ts';

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

interface Kept {
  readonly name: string;
  readonly clipId: string | undefined;
  readonly bytes: number;
  /** When it was set aside. */
  readonly sinceMs: number;
}

/** The clip that the name of a file in quarantine tells of. */
function clipIdOf(name: string): string | undefined {
  const id = /_([0-9A-Z]{26})\.mp4/.exec(name)?.[1];
  return id !== undefined && isOwnClipId(id) ? id : undefined;
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
  let known: readonly Kept[] | undefined;
  /** What could not be removed in this process. */
  const stuck = new Set<string>();

  /** What cannot be looked at is not counted: it must not keep a clip from being recorded. */
  function read(): Kept[] {
    try {
      return readdirSync(folder).flatMap((name) => {
        // Removed by a person since the folder was read.
        const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
        return stats?.isFile()
          ? [{ name, clipId: clipIdOf(name), bytes: heldBytesOf(stats), sinceMs: stats.ctimeMs }]
          : [];
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

  function explain({ name, clipId }: Kept): void {
    const reason = `${name} was removed from quarantine to keep its bound`;
    log.warn({ event: 'quarantine.removed', file: name, clipId }, reason);
    const row = clipId === undefined ? undefined : rows.get(clipId);
    if (!row) return;
    reserve.pay(() => db.transaction(() => rows.note(row.clip_id, 'quarantine-removed', reason)).immediate());
    if (row.state === 'lost') reserve.pay(() => losses.lost(row.clip_id, reason));
  }

  /** 0: goes first · 1: all there is of a clip that was given up, or that nothing is known of · undefined: it may be
   *  the only copy of a clip that is still to be uploaded */
  function rankOf({ clipId }: Kept): 0 | 1 | undefined {
    if (clipId === undefined) return 0;
    const row = rows.get(clipId);
    if (!row) return rows.folded(clipId) ? 0 : 1;
    if (isInStorage(row)) return 0;
    if (row.state === 'lost') return 1;
    try {
      const { file, partFile } = clipPlaces(dir, row.camera_id, row.clip_id);
      return [file, partFile].some((path) => entryAt(path).kind === 'file') ? 0 : undefined;
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      return undefined;
    }
  }

  /** In the order in which they may go. */
  function removable(): Kept[] {
    const ranked = list().map((kept) => ({ kept, rank: rankOf(kept) }));
    return [0, 1].flatMap((rank) => ranked.filter((one) => one.rank === rank).map(({ kept }) => kept));
  }

  return {
    bytes: () => Math.min(total(), maxBytes),

    clipFiles: () =>
      list().flatMap(({ name, clipId }) =>
        clipId === undefined ? [] : [{ cameraId: 'quarantine', clipId, name, path: join(folder, name) }],
      ),

    setAside(path, cameraId, name) {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
        renameSync(folder, freeName(`${folder}.aside-`));
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
      let bytes = total();
      let left = list().length;
      if (bytes <= maxBytes && left <= FILES_MAX) {
        if (bytes < maxBytes * ROOMY && left < FILES_MAX * ROOMY) conditions.clear('quarantine-full');
        return;
      }
      let gone = 0;
      for (const oldest of removable()) {
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
      }
    },
  };
}
