import { closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { clipsDir, isOfSystem } from './clip-files.ts';
import type { Database } from '../database/database.ts';

const MARKER = 'of-this-ledger';
const APART = 'clips_apart';

export const markerFile = (dir: string) => join(clipsDir(dir), MARKER);

export interface ClipsRoot {
  /** Why nothing may be recorded into the folder of clips; undefined when it is the one that we know. */
  away(): string | undefined;
  /** Remembers the folder of clips, and whether it lies on a disk of its own. Nothing when it is away. */
  remember(): void;
}

/** Knows the folder of clips again. When it lay on a disk of its own, and the name stands for a folder of the
 *  ledger's disk now, that disk is not mounted: what is recorded there would vanish under the mount. The marker file
 *  says that somebody has moved the clips on purpose. */
export function createClipsRoot({ db, dir }: { readonly db: Database; readonly dir: string }): ClipsRoot {
  const root = clipsDir(dir);
  const select = db.prepare<[string], number>('SELECT value FROM facts WHERE name = ?').pluck();
  const write = db.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)');
  /** Undefined for what is not there, or cannot be looked at. */
  const deviceOf = (path: string): number | undefined => {
    try {
      return statSync(path).dev;
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      return undefined;
    }
  };
  const liesApart = (device: number | undefined) => device !== undefined && device !== deviceOf(dir);
  const wasApart = () => select.get(APART) === 1;

  function away(): string | undefined {
    if (!wasApart() || liesApart(deviceOf(root)) || existsSync(markerFile(dir))) return undefined;
    return (
      `the disk of the clips is not mounted on ${root}: nothing is recorded. If it will not come back, ` +
      `make the empty file ${markerFile(dir)}`
    );
  }

  return {
    away,
    remember() {
      if (away() !== undefined) return;
      const device = deviceOf(root);
      if (device === undefined) return;
      if (!existsSync(markerFile(dir))) {
        const fd = openSync(markerFile(dir), 'a', 0o600);
        fsyncSync(fd);
        closeSync(fd);
        fsyncFolder(root);
      }
      if (liesApart(device) !== wasApart()) write.run(APART, liesApart(device) ? 1 : 0);
    },
  };
}
