import { closeSync, constants, openSync, readSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { type Database, guarded, openToLook, schemaVersion } from './database.ts';
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts';
import { defineChecksums } from './row-checksum.ts';

/** Of the first page (https://sqlite.org/fileformat2.html): size of a page, how the file is written and read (2: with
 *  a WAL), and bytes of each page that are left free. */
export const PAGE_BYTES = 4096;
const PAGE_SIZE_AT = 16;
export const WRITE_VERSION_AT = 18;
export const READ_VERSION_AT = 19;
const RESERVED_AT = 20;
const HEADER_BYTES = 100;

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string;
}

/** Why the tables, indexes and triggers of a ledger are not what its version says; undefined when they are. One of a
 *  newer version that this program can work with may have more of them, and more columns. */
export function schemaProblem(db: Database): string | undefined {
  const version = schemaVersion(db);
  if (version <= 0) return `its version is ${version}`;
  const encoding = db.pragma('encoding', { simple: true });
  if (encoding !== 'UTF-8') return `its texts are ${String(encoding)}`;
  const present = objectsIn(db);
  const expected = withMigrations(version, (one) => ({ objects: objectsIn(one), columns: columnsIn(one) }));
  const missing = [...expected.objects.keys()].filter((name) => !present.has(name));
  if (missing.length > 0) return `its schema is incomplete: ${missing.join(', ')} missing`;
  if (version > SCHEMA_VERSION) {
    const columns = new Set(columnsIn(db));
    const gone = expected.columns.find((column) => !columns.has(column));
    return gone === undefined ? undefined : `its schema is incomplete: column ${gone} missing`;
  }
  for (const [name, object] of expected.objects)
    if (textOf(object) !== textOf(present.get(name))) return `its schema is damaged: ${object.type} ${name}`;
  const later = withMigrations(SCHEMA_VERSION, objectsIn);
  const early = [...later.keys()].find((name) => present.has(name) && !expected.objects.has(name));
  return early === undefined ? undefined : `it has ${early}, which its version ${version} has not`;
}

/** Why the schema of the ledger, as it stands on the disk now, is not that of a ledger; undefined when it is. For its
 *  owner, beside its own connection, which has read it when it was opened.
 *  @throws Failure `corrupt` when it cannot be read any more */
export function schemaDamage(dir: string): string | undefined {
  const db = openToLook(dir);
  try {
    return guarded('ledger.schema', () => schemaProblem(db));
  } finally {
    db.close();
  }
}

/** Why the first bytes of the file are not those of a ledger. SQLite lets a wrong one pass that says how the file is
 *  written and read, and then refuses each write, or does not read the WAL.
 *  @param file not shorter than one page */
export function headerProblem(file: string): string | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    readSync(fd, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(fd);
  }
  const write = header[WRITE_VERSION_AT];
  const read = header[READ_VERSION_AT];
  // One that was begun anew is in WAL mode only when it has been opened.
  const isRead = write === read && (write === 1 || write === 2);
  if (!isRead) return `its header is damaged: it is written in way ${write} and read in way ${read}`;
  const page = header.readUInt16BE(PAGE_SIZE_AT);
  if (page !== PAGE_BYTES) return `its header is damaged: a page has ${page} bytes`;
  const reserved = header[RESERVED_AT];
  return reserved === 0 ? undefined : `its header is damaged: ${reserved} bytes of each page are left free`;
}

/** Names of tables of a whole ledger in the order in which they stand in its schema, by their row in it. */
export const tablesByPlace = (): ReadonlyMap<number, string> =>
  withMigrations(
    SCHEMA_VERSION,
    (db) =>
      new Map(
        db
          .prepare<[], { rowid: number; name: string }>(
            "SELECT rowid, name FROM sqlite_master WHERE type = 'table'",
          )
          .all()
          .map(({ rowid, name }) => [rowid, name]),
      ),
  );

/** Spaces and comments mean nothing. */
const textOf = (object: SchemaObject | undefined) =>
  object &&
  [object.type, object.name, object.tbl_name, object.sql]
    .join('\n')
    .replaceAll(/--[^\n]*/g, '')
    .replaceAll(/\s+/g, ' ');

function objectsIn(db: Database): ReadonlyMap<string, SchemaObject> {
  const objects = db
    .prepare<[], SchemaObject>(
      "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .all();
  return new Map(objects.map((object) => [object.name, object]));
}

const columnsIn = (db: Database) =>
  db
    .prepare<[], string>(
      `SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.pk
       FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'`,
    )
    .pluck()
    .all();

/** What `read` finds in a new ledger of this version. */
function withMigrations<T>(version: number, read: (db: Database) => T): T {
  const db = new Sqlite(':memory:');
  try {
    defineChecksums(db);
    for (const step of MIGRATIONS) if (step.version <= version) db.exec(step.sql);
    return read(db);
  } finally {
    db.close();
  }
}
