import { closeSync, copyFileSync, existsSync, openSync, writeSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { removeDatabase } from './database-files.ts';
import { MIGRATIONS } from './migrations.ts';
import { openSalvage, type Salvage } from './salvage.ts';

const PAGE_BYTES = 4096;
/** Of the first page (https://sqlite.org/fileformat2.html): how the file is written and read (2: with a WAL), its
 *  change counter, and the change counter for which its size in pages holds. */
const WRITE_VERSION = 18;
const READ_VERSION = 19;
const CHANGE_COUNTER = 24;
const SIZE_VALID_FOR = 92;

/** The columns of the tables, without what a page would not hold. */
const TABLES = `
  CREATE TABLE clips (clip_id TEXT PRIMARY KEY, camera_id, state, clock_quality, blob_name, triggered_ms, started_ms,
    sealed_ms, uploaded_ms, judged_ms, pre_roll_ms, duration_ms, bytes, sha256, blob_url, attempt, lease_until,
    retry_at, verdict, verdict_revision, reason, on_disk, finished_ms) WITHOUT ROWID;
  CREATE TABLE custody (seq INTEGER PRIMARY KEY, clip_id, at_ms, event, state, detail);
  CREATE TABLE inbox (seq INTEGER PRIMARY KEY, message_id, body_sha256, received_ms, body, outcome, reason);
  CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE outbox (event_id TEXT PRIMARY KEY, event, rank, bytes, body) WITHOUT ROWID;
  CREATE TABLE outbox_last (only_one INTEGER PRIMARY KEY, event_id);
  CREATE TABLE folded (camera_id, day, state, detail, clips, bytes,
    PRIMARY KEY (camera_id, day, state, detail)) WITHOUT ROWID;
  CREATE TABLE folded_clips (clip_id TEXT PRIMARY KEY, camera_id, state) WITHOUT ROWID;
`;

/** Reads a database whose first page, which names all others, is damaged or does not fit its length: in a copy of it,
 *  the first page is replaced by one that we know. Rows that come of a guess that was wrong are no rows of a ledger,
 *  and are left out like any other one that is damaged.
 *  @param file the damaged database; it is only read
 *  @param scratch name for the copy; `close` removes it
 *  @param like a database with the same pages, if there is one: its backup */
export function openTransplanted(file: string, scratch: string, like: string): Salvage | undefined {
  removeDatabase(scratch);
  copyFileSync(file, scratch);
  const hasWal = existsSync(`${file}-wal`);
  if (hasWal) copyFileSync(`${file}-wal`, `${scratch}-wal`);
  const page = firstPage(rootsOf(like) ?? rootsOfNew());
  if (hasWal) {
    page[WRITE_VERSION] = 2;
    page[READ_VERSION] = 2;
  }
  const fd = openSync(scratch, 'r+');
  try {
    writeSync(fd, page, 0, PAGE_BYTES, 0);
  } finally {
    closeSync(fd);
  }
  const salvage = openSalvage(scratch);
  if (!salvage) {
    removeDatabase(scratch);
    return undefined;
  }
  return {
    ...salvage,
    close: () => {
      salvage.close();
      removeDatabase(scratch);
    },
  };
}

type Roots = ReadonlyMap<string, number>;

function readRoots(db: Sqlite.Database): Roots {
  const tables = db.prepare<[], { name: string; rootpage: number }>(
    "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'",
  );
  return new Map(tables.all().map(({ name, rootpage }) => [name, rootpage]));
}

function rootsOf(file: string): Roots | undefined {
  try {
    const db = new Sqlite(file, { readonly: true, fileMustExist: true });
    try {
      return readRoots(db);
    } finally {
      db.close();
    }
  } catch {
    // No backup, or a damaged one: a new ledger has its first tables where every ledger has them.
    return undefined;
  }
}

function rootsOfNew(): Roots {
  const db = new Sqlite(':memory:');
  try {
    for (const step of MIGRATIONS) db.exec(step.sql);
    return readRoots(db);
  } finally {
    db.close();
  }
}

/** A first page that holds the whole schema and sends SQLite to the given pages. */
function firstPage(roots: Roots): Buffer {
  const db = new Sqlite(':memory:');
  try {
    db.exec(TABLES);
    // Only for this image: the schema of a real database is never written by hand.
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    const update = db.prepare('UPDATE sqlite_master SET rootpage = ? WHERE name = ?');
    for (const [name, root] of roots) update.run(root, name);
    // A table that the other one has not got is nowhere.
    const forget = db.prepare('DELETE FROM sqlite_master WHERE name = ?');
    for (const name of readRoots(db).keys()) if (!roots.has(name)) forget.run(name);
    const page = db.serialize().subarray(0, PAGE_BYTES);
    // The size that it names is not that of the copy: SQLite asks the file when these two differ.
    page.writeUInt32BE(1, CHANGE_COUNTER);
    page.writeUInt32BE(0, SIZE_VALID_FOR);
    return page;
  } finally {
    db.close();
  }
}
