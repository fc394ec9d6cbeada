import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Holds `<dir>/run.lock` for this process. The kernel lets go of it however the process ends, SIGKILL included.
 *  @returns undefined when another process holds it */
export function lockData(dir: string): { release(): void } | undefined {
  const db = new Database(join(dir, 'run.lock'), { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return { release: () => void db.close() };
}
