import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { classify } from '../../kernel/classify.ts';
import { Failure } from '../../kernel/failure.ts';
import { claimFolder, isClaimed } from '../../kernel/files/folder-claim.ts';
import { moveStrange, requireRegular, setAside } from './database-files.ts';

export interface Ownership {
  /** To be called before each use of the ledger. A lock file that somebody deleted is made and locked again.
   *  @throws Failure `transient` `ledger.in-use` when another process has become the owner since */
  confirm(): void;
  release(): void;
}

const PURPOSE = 'ledger';
const ownerFile = (dir: string) => join(dir, 'ledger.owner');
/** Longer than somebody's look at the lock takes. */
const PATIENCE_MS = 1_000;

const inUse = (dir: string, cause?: unknown) =>
  new Failure('transient', 'ledger.in-use', `another process is using the ledger in ${dir}`, { cause });

/** Makes this process the only owner of the ledger in `dir`, by two means, each with a hole that the other closes:
 *  - a claim on the folder (`folder-claim.ts`): cannot be deleted, but is seen within one network namespace only;
 *  - SQLite's exclusive lock on a file of its own, by a transaction that is never committed: is seen by every process
 *    of this machine, but the file can be deleted and made anew. `confirm` notices that.
 *  The system drops both when the process ends, however it ends: a killed owner never leaves a stale one behind.
 *  @param patienceMs how long it may hold this thread up while somebody looks at the lock
 *  @throws Failure `transient` `ledger.in-use` when another process is the owner */
export function takeOwnership(dir: string, patienceMs = PATIENCE_MS): Ownership {
  const claim = claimFolder(dir, PURPOSE);
  if (!claim) throw inUse(dir);
  let lock: LockFile;
  try {
    lock = lockFile(dir, patienceMs);
  } catch (error) {
    claim.release();
    throw error;
  }
  return {
    confirm() {
      if (entryOf(dir)?.ino === lock.inode) return;
      // Deleted, and perhaps made anew by somebody: whoever holds the new one is the owner.
      const next = lockFile(dir, 0);
      lock.release();
      lock = next;
    },
    release() {
      lock.release();
      claim.release();
    },
  };
}

interface LockFile {
  /** Which file is locked. */
  readonly inode: bigint | undefined;
  release(): void;
}

const entryOf = (dir: string) => lstatSync(ownerFile(dir), { bigint: true, throwIfNoEntry: false });

function lockFile(dir: string, patienceMs: number): LockFile {
  try {
    return lockOnce(dir, patienceMs);
  } catch (error) {
    // It never holds anything: what is no database was put there by an accident.
    if (!(error instanceof Failure) || error.kind !== 'corrupt') throw error;
    setAside(dir, ownerFile(dir));
    return lockOnce(dir, patienceMs);
  }
}

function lockOnce(dir: string, patienceMs: number): LockFile {
  for (const part of ['', '-journal', '-wal', '-shm']) moveStrange(dir, `${ownerFile(dir)}${part}`);
  let db: Sqlite.Database | undefined;
  try {
    db = new Sqlite(ownerFile(dir), { timeout: patienceMs });
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    const held = db;
    return { inode: entryOf(dir)?.ino, release: () => void held.close() };
  } catch (error) {
    db?.close();
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') throw inUse(dir, error);
    throw classify(error, 'ledger.own');
  }
}

/** Whether some process owns the ledger in `dir` just now. */
export function isOwned(dir: string): boolean {
  if (isClaimed(dir, PURPOSE)) return true;
  if (!holdsLock(dir)) return false;
  const lock = new Sqlite(ownerFile(dir), { readonly: true, timeout: 0 });
  try {
    lock.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'SQLITE_BUSY') return true;
    // Not a lock that anybody could hold.
    if (code === 'SQLITE_NOTADB') return false;
    throw classify(error, 'ledger.own');
  } finally {
    lock.close();
  }
}

/** Whether there is a file that could be locked. Another thing under its names is not opened: it could be a pipe. */
function holdsLock(dir: string): boolean {
  if (entryOf(dir)?.isFile() !== true) return false;
  try {
    requireRegular(ownerFile(dir));
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
