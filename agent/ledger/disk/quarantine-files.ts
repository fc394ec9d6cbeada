import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clipPaths, entryAt, heldBytesOf, isOfSystem } from '../clips/clip-files.ts';
import { isOwnClipId } from '../clips/clip-id.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import { isInStorage } from './removal.ts';

export interface QuarantineFile {
  readonly name: string;
  /** The clip that its name tells of. */
  readonly clipId: string | undefined;
  readonly bytes: number;
  /** When it was set aside. */
  readonly sinceMs: number;
}

export interface QuarantineFiles {
  /** Oldest first. Read once, until `changed`. */
  list(): readonly QuarantineFile[];
  changed(): void;
  bytes(): number;
  /** In the order in which they may go: first what is of no clip that is missing, then all there is of a clip that was
   *  given up, or that nothing is known of. What may be the only copy of a clip that is still to be uploaded is not
   *  among them. */
  removable(): readonly QuarantineFile[];
}

/** What lies in quarantine, and what may go from there. */
export function createQuarantineFiles(deps: {
  readonly rows: Pick<ClipRows, 'get' | 'folded'>;
  /** Of the ledger. */
  readonly dir: string;
  readonly folder: string;
}): QuarantineFiles {
  const { rows, dir, folder } = deps;
  let known: readonly QuarantineFile[] | undefined;

  /** What cannot be looked at is not counted: it must not keep a clip from being recorded. */
  function read(): QuarantineFile[] {
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

  function list(): readonly QuarantineFile[] {
    known ??= read().toSorted((a, b) => a.sinceMs - b.sinceMs || (a.name < b.name ? -1 : 1));
    return known;
  }

  /** 0 goes first; undefined: it stays. */
  function rankOf({ clipId }: QuarantineFile): 0 | 1 | undefined {
    if (clipId === undefined) return 0;
    const row = rows.get(clipId);
    if (!row) return rows.folded(clipId) ? 0 : 1;
    if (isInStorage(row)) return 0;
    if (row.state === 'lost') return 1;
    try {
      const { file, partFile } = clipPaths(dir, row.camera_id, row.clip_id);
      return [file, partFile].some((path) => entryAt(path).kind === 'file') ? 0 : undefined;
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      return undefined;
    }
  }

  return {
    list,
    changed() {
      known = undefined;
    },
    bytes: () => list().reduce((sum, { bytes }) => sum + bytes, 0),
    removable() {
      const ranked = list().map((file) => ({ file, rank: rankOf(file) }));
      return [0, 1].flatMap((rank) => ranked.filter((one) => one.rank === rank).map(({ file }) => file));
    },
  };
}

function clipIdOf(name: string): string | undefined {
  const id = /_([0-9A-Z]{26})\.mp4/.exec(name)?.[1];
  return id !== undefined && isOwnClipId(id) ? id : undefined;
}
