import { closeSync, copyFileSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import Sqlite from 'better-sqlite3';
import { migrate } from '../database/database.ts';
import { removeDatabase } from '../database/database-files.ts';
import { MIGRATIONS } from '../database/migrations.ts';
import type { Reads } from './reads.ts';
import { openSalvage, type Salvage } from './salvage.ts';
import { PAGE_BYTES, READ_VERSION_AT, tablesByPlace, WRITE_VERSION_AT } from '../database/schema.ts';
import { isOwnClipId } from '../clips/clip-id.ts';

/** Of the first page: its change counter, and the change counter for which its size in pages holds. */
const CHANGE_COUNTER = 24;
const SIZE_VALID_FOR = 92;

/** The columns of the tables, without what a page would not hold. */
const TABLES = `
  CREATE TABLE clips (clip_id TEXT PRIMARY KEY, camera_id, state, clock_quality, blob_name, triggered_ms, started_ms,
    sealed_ms, uploaded_ms, judged_ms, pre_roll_ms, duration_ms, bytes, sha256, blob_url, attempt, lease_until,
    retry_at, verdict, verdict_revision, reason, on_disk, finished_ms,
    checksum) WITHOUT ROWID;
  CREATE TABLE custody (seq INTEGER PRIMARY KEY, clip_id, at_ms, event, state, detail, checksum);
  CREATE TABLE inbox (seq INTEGER PRIMARY KEY, message_id, body_sha256, received_ms, body, outcome, reason, checksum);
  CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE outbox (event_id TEXT PRIMARY KEY, event, rank, bytes, body, checksum) WITHOUT ROWID;
  CREATE TABLE outbox_last (only_one INTEGER PRIMARY KEY, event_id);
  CREATE TABLE folded (camera_id, day, state, detail, clips, bytes, checksum,
    PRIMARY KEY (camera_id, day, state, detail)) WITHOUT ROWID;
  CREATE TABLE folded_clips (clip_id TEXT PRIMARY KEY, camera_id, state, checksum) WITHOUT ROWID;
`;
const TABLE_NAMES = new Set([...TABLES.matchAll(/CREATE TABLE (\w+)/g)].map(([, name]) => String(name)));

/** Reads a database whose first page, which names all others, or whose schema is damaged: in a copy of it, the first
 *  page is replaced by one that we know, so that columns are read by their place. Where the tables begin is taken from
 *  whatever gives clips: the schema of the damaged one, by names and by places, then the backup, then a new ledger.
 *  Rows that come of a guess that was wrong are no rows of a ledger, and are left out like any other one that is
 *  damaged.
 *  @param file the damaged database; it is only read
 *  @param scratch name for the copy; `close` removes it
 *  @param like a database with the same pages, if there is one: its backup */
export function openTransplanted(
  file: string,
  scratch: string,
  like: string,
  reads: Reads,
): Salvage | undefined {
  const guesses = [
    rootsOf(reads, file, (db) => ({ ...rootsByPlace(db), ...rootsByName(db) })),
    rootsOf(reads, like, rootsByName),
    rootsOf(reads, ':memory:', (db) => {
      migrate(db, MIGRATIONS);
      return rootsByName(db);
    }),
  ].filter((roots) => roots !== undefined);
  let last: Salvage | undefined;
  for (const [at, roots] of guesses.entries()) {
    last = openWith(file, scratch, roots, reads, `guess ${at + 1}`);
    if (last && (hasClips(last) || at === guesses.length - 1)) return last;
    last?.close();
  }
  return undefined;
}

/** Whether it gives at least one row of a clip. */
export const hasClips = (salvage: Salvage) =>
  salvage.values('SELECT clip_id FROM clips NOT INDEXED LIMIT 1').some((id) => isOwnClipId(String(id)));

function openWith(
  file: string,
  scratch: string,
  roots: Roots,
  reads: Reads,
  name: string,
): Salvage | undefined {
  removeDatabase(scratch);
  copyFileSync(file, scratch);
  if (existsSync(`${file}-wal`)) {
    copyFileSync(`${file}-wal`, `${scratch}-wal`);
    replaceFirstPage(scratch, roots, true);
    // What cannot be written back is left out, as SQLite does after a cut.
    reads.attempt(`${name}: write back`, () => writeBack(scratch));
    for (const part of ['-wal', '-shm']) rmSync(`${scratch}${part}`, { force: true });
  }
  replaceFirstPage(scratch, roots, false);
  const salvage = openSalvage(scratch, reads, name);
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

function replaceFirstPage(file: string, roots: Roots, hasWal: boolean): void {
  const page = firstPage(roots);
  if (hasWal) {
    page[WRITE_VERSION_AT] = 2;
    page[READ_VERSION_AT] = 2;
  }
  const fd = openSync(file, 'r+');
  try {
    writeSync(fd, page, 0, PAGE_BYTES, 0);
  } finally {
    closeSync(fd);
  }
}

/** The WAL may hold a first page of its own, which would count. */
function writeBack(scratch: string): void {
  const db = new Sqlite(scratch);
  try {
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

/** First page of each table. */
type Roots = Readonly<Record<string, number>>;

const rootsByName = (db: Sqlite.Database): Roots =>
  Object.fromEntries(
    db
      .prepare<[], { name: string; rootpage: number }>(
        "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'",
      )
      .all()
      .filter(({ name }) => TABLE_NAMES.has(name))
      .map(({ name, rootpage }) => [name, rootpage]),
  );

/** For names that are damaged: where a table stands in the schema is the same in every ledger. */
function rootsByPlace(db: Sqlite.Database): Roots {
  const rows = db.prepare<[], { rowid: number; rootpage: number }>(
    'SELECT rowid, rootpage FROM sqlite_master',
  );
  const names = tablesByPlace();
  return Object.fromEntries(
    rows.all().flatMap(({ rowid, rootpage }) => {
      const name = names.get(rowid);
      return name === undefined || !TABLE_NAMES.has(name) || !(rootpage > 1) ? [] : [[name, rootpage]];
    }),
  );
}

/** @returns undefined when there is no such database, or nothing of its schema can be read */
function rootsOf(reads: Reads, file: string, read: (db: Sqlite.Database) => Roots): Roots | undefined {
  return reads.attempt(`${basename(file)}: where the tables begin`, () => {
    if (file !== ':memory:' && !statSync(file).isFile()) return undefined;
    const db = new Sqlite(file, { readonly: file !== ':memory:' });
    try {
      // Rows of a schema can be read although SQLite does not understand them.
      db.unsafeMode(true);
      db.pragma('writable_schema = ON');
      const roots = read(db);
      return roots['clips'] === undefined ? undefined : roots;
    } finally {
      db.close();
    }
  });
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
    for (const [name, root] of Object.entries(roots)) update.run(root, name);
    // A table that the other one has not got is nowhere.
    const forget = db.prepare('DELETE FROM sqlite_master WHERE name = ?');
    for (const name of TABLE_NAMES) if (roots[name] === undefined) forget.run(name);
    const page = db.serialize().subarray(0, PAGE_BYTES);
    // The size that it names is not that of the copy: SQLite asks the file when these two differ.
    page.writeUInt32BE(1, CHANGE_COUNTER);
    page.writeUInt32BE(0, SIZE_VALID_FOR);
    return page;
  } finally {
    db.close();
  }
}
