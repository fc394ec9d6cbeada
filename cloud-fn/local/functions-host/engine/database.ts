import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY,
    execution TEXT NOT NULL,          -- changes with every start and continueAsNew
    name TEXT NOT NULL,
    version TEXT,
    status TEXT NOT NULL,
    input TEXT, output TEXT, custom_status TEXT,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    parent_id TEXT, parent_execution TEXT, parent_task INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS instances_by_time ON instances (created_ms);
  CREATE TABLE IF NOT EXISTS history (
    instance TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (instance, seq)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS inbox (  -- arrived, not yet in the history
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, event TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS inbox_by_instance ON inbox (instance, seq);
  CREATE TABLE IF NOT EXISTS activities (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT NOT NULL,
    task INTEGER NOT NULL, name TEXT NOT NULL, input TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    UNIQUE (instance, execution, task)
  );
  CREATE TABLE IF NOT EXISTS timers (
    instance TEXT NOT NULL, task INTEGER NOT NULL, due_ms INTEGER NOT NULL,
    PRIMARY KEY (instance, task)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS timers_by_due ON timers (due_ms);
  CREATE TABLE IF NOT EXISTS schedules (function TEXT PRIMARY KEY, last_ms INTEGER, next_ms INTEGER NOT NULL);
`;

/** The host's state. Every commit is on disk when it returns; one process at a time.
 *  @throws Error when another process holds it */
export function openDatabase(dataDir: string): Sqlite.Database {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'functions.sqlite');
  const db = new Sqlite(file, { timeout: 5000 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    // In WAL mode better-sqlite3 falls back to NORMAL, which a power cut can make forget commits.
    db.pragma('synchronous = FULL');
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY')
      throw new Error(`${file} is in use: another functions host runs on this folder.`, { cause: error });
    throw error;
  }
}
