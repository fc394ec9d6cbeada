import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export type Db = Database.Database;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY, value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS devices (
    device_id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    status_reason TEXT,
    primary_key TEXT NOT NULL,
    secondary_key TEXT NOT NULL,
    generation_id TEXT NOT NULL,
    etag INTEGER NOT NULL DEFAULT 1,
    primary_thumbprint TEXT,
    secondary_thumbprint TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS twins (
    device_id TEXT PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
    desired TEXT NOT NULL DEFAULT '{}',
    desired_version INTEGER NOT NULL DEFAULT 1,
    reported TEXT NOT NULL DEFAULT '{}',
    reported_version INTEGER NOT NULL DEFAULT 1,
    tags TEXT NOT NULL DEFAULT '{}',
    etag INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    properties TEXT NOT NULL,
    body BLOB NOT NULL,
    ack TEXT NOT NULL,
    message_id TEXT,
    expires_ms INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS messages_of_device ON messages (device_id, sequence);
  CREATE TABLE IF NOT EXISTS feedback (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS tickets (
    correlation_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    blob_name TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
`;

/** The hub's memory. Every change is on disk before it is answered, so a killed hub continues where it was.
 *  @throws when another hub has the same folder open */
export function openDatabase(dataDir: string): Db {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const db = new Database(join(dataDir, 'iot-hub.db'), { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.exec(SCHEMA);
    addThumbprints(db);
  } catch (error) {
    db.close();
    throw new Error(`the hub's folder ${dataDir} cannot be opened: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return db;
}

/** A hub that was made before devices could go by certificate has no place for them. */
function addThumbprints(db: Db): void {
  const known = db.prepare<[], string>("SELECT name FROM pragma_table_info('devices')").pluck().all();
  for (const name of ['primary_thumbprint', 'secondary_thumbprint'])
    if (!known.includes(name)) db.exec(`ALTER TABLE devices ADD COLUMN ${name} TEXT`);
}

/** A value made once and kept, like the key of the service policy. */
export function setting(db: Db, name: string, make: () => string): string {
  db.prepare('INSERT OR IGNORE INTO settings VALUES (?, ?)').run(name, make());
  return db.prepare<[string], string>('SELECT value FROM settings WHERE name = ?').pluck().get(name) ?? '';
}
