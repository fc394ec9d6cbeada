import { existsSync, mkdirSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { classify } from '../../kernel/classify.ts';
import { Failure } from '../../kernel/failure.ts';
import { ledgerFile, requireRegular } from './database-files.ts';
import { MIGRATIONS, type Migration, SCHEMA_VERSION } from './migrations.ts';
import { defineChecksums, ROW_DAMAGED } from './row-checksum.ts';

export type Database = Sqlite.Database;

/** As long as this the whole process may stand still for somebody else's lock. */
const BUSY_MS = 1_000;
/** `PRAGMA synchronous`: 2 is FULL. */
const FULL = 2;

/** Opens the ledger's database for its one owner.
 *  Invariants
 *  1. A committed transaction survives a power cut: WAL with synchronous=FULL, set here and read back, because
 *     this build of SQLite falls to NORMAL in WAL by itself.
 *  2. A ledger that needs a newer program is refused and left as it is.
 *  @throws Failure `rejected` (newer), `corrupt`, `exhausted` */
export function openDatabase(dir: string, migrations: readonly Migration[] = MIGRATIONS): Database {
  return guarded('ledger.open', () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    requireRegular(ledgerFile(dir));
    const db = new Sqlite(ledgerFile(dir), { timeout: BUSY_MS });
    try {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.pragma('foreign_keys = ON');
      migrate(db, migrations);
      requireSettings(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Opens the database beside its owner, to look only.
 *  @throws Failure `rejected` when there is none or it is newer, `corrupt` when it is no file */
export function openToLook(dir: string): Database {
  if (!existsSync(ledgerFile(dir)))
    throw new Failure(
      'rejected',
      'ledger.none',
      `there is no ledger in ${dir}: ${ledgerFile(dir)} is missing`,
    );
  return guarded('ledger.open', () => {
    requireRegular(ledgerFile(dir));
    const db = new Sqlite(ledgerFile(dir), { readonly: true, timeout: BUSY_MS });
    try {
      if (schemaVersion(db) === 0)
        throw new Failure('rejected', 'ledger.empty', `${ledgerFile(dir)} is not a ledger: it has no tables`);
      refuseNewer(db, SCHEMA_VERSION);
      // SQLite asks for what the triggers call when a statement is prepared that would write, run or not.
      defineChecksums(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Whether an error tells that the database itself is damaged: it concerns all rows, not only the one at hand. */
export const isOfDatabase = ({ code }: Failure): boolean =>
  /\.sqlite_(?:corrupt|notadb|error(?:_|$))/.test(code) || code === ROW_DAMAGED;

/** Writes everything that is committed from the log into the database itself, and empties the log. SQLite ignores what
 *  follows a damaged place of the log, without a word; what is in the database is checked before it is opened.
 *  Waits for nobody: what somebody who reads just now still needs stays in the log, too.
 *  @throws Failure when the disk does not take it; nothing is lost by that */
export function emptyLog(db: Database): void {
  guarded('ledger.empty-log', () => {
    db.pragma('busy_timeout = 0');
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.pragma(`busy_timeout = ${BUSY_MS}`);
    }
  });
}

/** Runs `work` with errors of SQLite and the system turned into a `Failure`. */
export function guarded<T>(code: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw classify(error, code);
  }
}

export const schemaVersion = (db: Database) => db.pragma('user_version', { simple: true }) as number;

/** @throws Failure `rejected` when a newer program wrote it and this one cannot work with it */
export function refuseNewer(db: Database, known: number): void {
  const version = schemaVersion(db);
  if (version <= known) return;
  const row = db.prepare("SELECT value FROM facts WHERE name = 'oldest_reader'").get() as
    | { value: number }
    | undefined;
  if (row !== undefined && row.value <= known) return;
  throw new Failure(
    'rejected',
    'ledger.newer',
    `the ledger was written by a newer version (schema ${version}, this program knows ${known}): ` +
      'use that version; nothing has been changed',
  );
}

export function migrate(db: Database, migrations: readonly Migration[]): void {
  const known = Math.max(...migrations.map((step) => step.version));
  refuseNewer(db, known);
  defineChecksums(db);
  for (const step of migrations) {
    if (step.version <= schemaVersion(db)) continue;
    db.transaction(() => {
      db.exec(step.sql);
      db.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES ('oldest_reader', ?)").run(
        step.oldestReader,
      );
      db.pragma(`user_version = ${step.version}`);
    }).immediate();
  }
}

/** Read back after the first write, because that is when SQLite lowered it. */
function requireSettings(db: Database): void {
  db.transaction(() =>
    db.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES ('opened', 1)").run(),
  ).immediate();
  const synchronous = db.pragma('synchronous', { simple: true });
  const journal = db.pragma('journal_mode', { simple: true });
  if (synchronous !== FULL || journal !== 'wal')
    throw new Failure(
      'bug',
      'ledger.not-durable',
      `the ledger would not survive a power cut: journal_mode=${String(journal)} synchronous=${String(synchronous)}`,
    );
}
