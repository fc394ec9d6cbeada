import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../kernel/failure.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';
import type { NoteEntry } from './note-entries.ts';
import type { SuppressedRecord } from './record.ts';

/** The file of each note: `<camera>/<id>.json`.
 *  Invariant: a file has its whole content or another name: written beside, then renamed. */
export interface NoteFiles {
  /** @returns the cameras that have a folder */
  cameras(): Promise<string[]>;
  /** The notes of a camera, one by one; whatever else lies there is removed. */
  scan(cameraId: string): AsyncIterable<NoteEntry>;
  makeFolder(cameraId: string): Promise<void>;
  write(cameraId: string, id: string, text: string): Promise<void>;
  read(cameraId: string, id: string): Promise<SuppressedRecord | 'gone' | 'unreadable'>;
  remove(cameraId: string, id: string): Promise<void>;
  path(cameraId: string, id: string): string;
}

/** Larger than any note. */
const NOTE_MAX_BYTES = 1024 * 1024;
const FILE = /^(\d{13})-([a-z-]{1,40})\.json$/;
export const CAMERA = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const FOLDER = { recursive: true, mode: 0o700 } as const;

export function createNoteFiles(dir: string): NoteFiles {
  const path = (cameraId: string, id: string) => join(dir, cameraId, `${id}.json`);
  return {
    path,
    cameras: async () => {
      await mkdir(dir, FOLDER);
      const found = await readdir(dir, { withFileTypes: true });
      return found.flatMap((entry) => (entry.isDirectory() && CAMERA.test(entry.name) ? [entry.name] : []));
    },
    async *scan(cameraId) {
      for (const name of await readdir(join(dir, cameraId))) {
        const file = join(dir, cameraId, name);
        const [, at, reason] = FILE.exec(name) ?? [];
        const found = await stat(file);
        if (at === undefined || reason === undefined || !found.isFile() || found.size === 0)
          await rm(file, { force: true, recursive: true });
        else yield { id: name.slice(0, -5), atMs: Number(at), reason, bytes: found.size };
      }
    },
    makeFolder: async (cameraId) => {
      await mkdir(join(dir, cameraId), FOLDER);
    },
    write: async (cameraId, id, text) => {
      const file = path(cameraId, id);
      try {
        // Whatever stands there: to open a pipe is to wait for ever.
        await rm(`${file}.part`, { force: true, recursive: true });
        await writeFile(`${file}.part`, text, { mode: 0o600, flag: 'wx' });
        await rename(`${file}.part`, file);
      } catch (error) {
        // What a full disk took of it counts for nobody's budget.
        await rm(`${file}.part`, { force: true }).catch(() => undefined);
        throw error;
      }
    },
    read: async (cameraId, id) => {
      // Only now: a camera's process, which only writes notes, would load the contracts for it.
      const { suppressedRecordIn } = await import('./read.ts');
      try {
        return suppressedRecordIn(readSmallText(path(cameraId, id), NOTE_MAX_BYTES)) ?? 'unreadable';
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
        if (!(error instanceof Failure)) throw error;
        return 'unreadable';
      }
    },
    remove: (cameraId, id) => rm(path(cameraId, id), { force: true }),
  };
}
