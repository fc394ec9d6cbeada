import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

/** Opens the bridge's database, and makes it when there is none: `blobs` that were seen, `events` that wait, events that
 *  are `dead`, and how far each container's changes were taken. */
export function openEventDatabase(dataDir: string): Sqlite.Database {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const db = new Sqlite(join(dataDir, 'event-grid.sqlite'), { timeout: 5000 });
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, etag TEXT NOT NULL, scan INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL,
      attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS events_by_due ON events (due_ms, seq);
    CREATE TABLE IF NOT EXISTS dead (
      seq INTEGER PRIMARY KEY, event TEXT NOT NULL, reason TEXT NOT NULL,
      attempts INTEGER NOT NULL, died_ms INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS cursors (container TEXT PRIMARY KEY, feed TEXT NOT NULL, seq INTEGER NOT NULL);
  `);
  return db;
}
