import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { classify } from '../kernel/classify.ts';
import { Failure } from '../kernel/failure.ts';

export interface Ownership {
  release(): void;
}

const ownerFile = (dir: string) => join(dir, 'ledger.owner');
/** Longer than somebody's look at the lock takes. */
const PATIENCE_MS = 1_000;

/** Makes this process the only owner of the ledger in `dir`.
 *  A transaction that is never committed holds SQLite's exclusive lock on a file of its own. The system drops the
 *  lock when the process ends, however it ends, so a killed owner never leaves a stale one behind.
 *  @throws Failure `transient` `ledger.in-use` when another process is the owner */
export function takeOwnership(dir: string): Ownership {
  const lock = new Sqlite(ownerFile(dir), { timeout: PATIENCE_MS });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw classify(error, 'ledger.own');
    throw new Failure('transient', 'ledger.in-use', `another process is using the ledger in ${dir}`, {
      cause: error,
    });
  }
  return { release: () => lock.close() };
}

/** Whether some process owns the ledger in `dir` just now. */
export function isOwned(dir: string): boolean {
  if (!existsSync(ownerFile(dir))) return false;
  const lock = new Sqlite(ownerFile(dir), { readonly: true, timeout: 0 });
  try {
    lock.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') return true;
    throw classify(error, 'ledger.own');
  } finally {
    lock.close();
  }
}
