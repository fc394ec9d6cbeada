import { renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { classify } from '../../kernel/classify.ts';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import {
  clipPaths,
  ensureCameraFolder,
  entryAt,
  type FoundFile,
  noClipBecause,
  sha256Of,
} from '../clips/clip-files.ts';
import type { ClipRow, ClipRows } from '../clips/clip-rows.ts';
import { clipFilesIn } from './clip-survey.ts';
import type { ClipsRoot } from '../clips/clips-root.ts';
import { type Database, isOfDatabase } from '../database/database.ts';
import type { Quarantine } from '../disk/quarantine.ts';

const AT_ONCE = 100;

export interface BroughtBack {
  readonly problems: readonly { readonly clipId: string; readonly problem: string }[];
  /** Clips whose files are known and could not be moved: they stay where they are, and nothing is missing. By the path
   *  of the file. */
  readonly left: ReadonlyMap<string, LeftAside>;
}

export interface LeftAside {
  readonly clipId: string;
  /** Where it lies and why it could not be put back. */
  readonly sentence: string;
}

export interface Misplaced {
  /** Moves files of clips back to the places where their rows look for them. One that cannot be looked at keeps no
   *  other one waiting. */
  bringBack(): Promise<BroughtBack>;
}

/** Knows files of clips again that lie elsewhere: in the folder of another camera, as after a folder was renamed or two
 *  were swapped, under the name of a part file, or in quarantine.
 *  Invariants
 *  1. A finished clip is known by its id, its size and its checksum; one that was never finished by its id, when
 *     nothing stands in its place.
 *  2. What stands in the way and is not the clip goes to quarantine.
 *  3. Custody says where it lay. */
export function createMisplaced(deps: {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly root: Pick<ClipsRoot, 'away'>;
  readonly quarantine: Pick<Quarantine, 'setAside' | 'clipFiles'>;
  readonly breathe: Breathe;
  readonly log: Log;
}): Misplaced {
  const { db, rows, dir, root, quarantine, breathe, log } = deps;

  const isThere = (path: string) => entryAt(path).kind !== 'none';

  function targetOf(row: ClipRow, { name }: FoundFile): string {
    const { file, partFile } = clipPaths(dir, row.camera_id, row.clip_id);
    return row.sha256 === null && name.endsWith('.part') ? partFile : file;
  }

  /** @returns why it is not the clip of this row, or need not be moved; undefined when it is */
  async function belongs(row: ClipRow, { path }: FoundFile, target: string): Promise<boolean> {
    const entry = entryAt(path);
    if (entry.kind !== 'file') return false;
    if (row.sha256 === null) {
      const { file, partFile } = clipPaths(dir, row.camera_id, row.clip_id);
      return (row.state === 'recording' || row.state === 'lost') && ![file, partFile].some(isThere);
    }
    if (entry.bytes !== row.bytes || noClipBecause(entry) !== undefined) return false;
    const own = entryAt(target);
    if (own.kind === 'file' && own.bytes === row.bytes && (await sha256Of(target)) === row.sha256)
      return false;
    return (await sha256Of(path)) === row.sha256;
  }

  /** @returns the sentence that tells of it; undefined when nothing was to be done */
  async function bringOneBack(found: FoundFile): Promise<string | undefined> {
    const seen = rows.get(found.clipId);
    if (!seen) return undefined;
    const target = targetOf(seen, found);
    const { partFile } = clipPaths(dir, seen.camera_id, seen.clip_id);
    if (found.path === target || (found.path === partFile && seen.state === 'recording')) return undefined;
    if (!(await belongs(seen, found, target))) return undefined;
    // Gone on while the file was read.
    const row = rows.get(found.clipId);
    if (!row || targetOf(row, found) !== target) return undefined;
    ensureCameraFolder(
      dir,
      row.camera_id,
      (path) => void quarantine.setAside(path, 'in-place-of', basename(path)),
    );
    if (isThere(target)) quarantine.setAside(target, row.camera_id, basename(target));
    renameSync(found.path, target);
    fsyncFolder(dirname(target));
    fsyncFolder(dirname(found.path));
    const detail = `its file lay in ${found.path} and was moved back`;
    db.transaction(() => rows.note(row.clip_id, 'moved-back', detail)).immediate();
    log.warn({ event: 'clip.moved-back', clipId: row.clip_id, from: found.path }, detail);
    return detail;
  }

  async function* candidates(): AsyncGenerator<FoundFile> {
    yield* clipFilesIn(dir);
    // What could not be played would only be set aside again.
    for (const found of quarantine.clipFiles())
      if (typeof rows.get(found.clipId)?.sha256 === 'string') yield found;
  }

  return {
    async bringBack() {
      const problems: { clipId: string; problem: string }[] = [];
      const left = new Map<string, LeftAside>();
      if (root.away() !== undefined) return { problems, left };
      let looked = 0;
      for await (const found of candidates()) {
        if (++looked % AT_ONCE === 0) await breathe();
        const { clipId, path } = found;
        try {
          const problem = await bringOneBack(found);
          if (problem === undefined) continue;
          problems.push({ clipId, problem });
          await breathe();
        } catch (error) {
          const failure = classify(error, 'ledger.misplaced');
          const { code, message } = failure;
          if (!db.open || code === 'ledger.closed' || isOfDatabase(failure)) throw failure;
          const sentence = `kept aside in ${path}, could not be put back: ${message}`;
          left.set(path, { clipId, sentence });
          problems.push({ clipId, problem: `its file is ${sentence}` });
        }
      }
      return { problems, left };
    },
  };
}
