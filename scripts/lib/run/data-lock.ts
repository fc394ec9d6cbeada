import { join } from 'node:path';
import Database from 'better-sqlite3';
import { claimFolder } from '../../../agent/kernel/files/folder-claim.ts';

/** Holds the data folder for this process: by a claim, which nobody can delete, and by `run.lock`, which processes
 *  with a network of their own see, too. The kernel lets go of both however the process ends, SIGKILL included.
 *  @returns undefined when another process holds it */
export function lockData(dir: string): { release(): void } | undefined {
  const claim = claimFolder(dir, 'run');
  if (!claim) return undefined;
  const db = new Database(join(dir, 'run.lock'), { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    claim.release();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return {
    release: () => {
      db.close();
      claim.release();
    },
  };
}
