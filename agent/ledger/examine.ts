import { accessSync, constants, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { classify } from '../kernel/classify.ts';
import { Failure } from '../kernel/failure.ts';
import { type Database, refuseNewer, schemaVersion } from './database.ts';
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts';

/** none: there is no database, or one that nothing was ever written into · mendable: only what SQLite can make again
 *  from the rows is wrong · damaged: it must not be written on any more */
export type Examined =
  | { readonly state: 'none' | 'whole' }
  | { readonly state: 'mendable' | 'damaged'; readonly why: string };

const BUSY_MS = 5_000;
/** Findings of SQLite that are read; the first one is told. */
const FINDINGS_MAX = 100;

/** Looks a database over without changing it; only what a transaction that was cut off has left is undone, when it is
 *  to be written anyway.
 *  @param options.toWrite whether it is of use only when it can be written
 *  @throws Failure when it is not for us to judge: written by a newer version, locked by another program, not
 *  readable, not writable, on a disk that fails */
export function examineDatabase(file: string, { toWrite = true } = {}): Examined {
  const reason = noFile(file);
  if (reason === 'missing') return { state: 'none' };
  if (reason !== undefined) return { state: 'damaged', why: reason };
  if (toWrite) requireWritable(file);
  try {
    return toWrite ? lookUndoing(file) : lookOnly(file);
  } catch (error) {
    const failure = classify(error, 'ledger.examine');
    // SQLite's own words for a schema that cannot be read, or for a statement that the schema does not fit.
    const isSchema = codeOf(error) === 'SQLITE_ERROR';
    if (failure.kind === 'corrupt' || isSchema) return { state: 'damaged', why: failure.message };
    throw failure;
  }
}

function lookUndoing(file: string): Examined {
  try {
    return lookOnly(file);
  } catch (error) {
    if (codeOf(error) !== 'SQLITE_READONLY_ROLLBACK') throw error;
    undoCutTransaction(file);
    return lookOnly(file);
  }
}

function lookOnly(file: string): Examined {
  const db = new Sqlite(file, { readonly: true, timeout: BUSY_MS });
  try {
    return judge(db);
  } finally {
    db.close();
  }
}

/** Until a database is in WAL mode its transactions have a rollback journal. One that was cut off, like the very first,
 *  is undone by SQLite as soon as somebody who may write reads the database. */
function undoCutTransaction(file: string): void {
  const db = new Sqlite(file, { timeout: BUSY_MS });
  try {
    schemaVersion(db);
  } finally {
    db.close();
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** Why there is no file under the name; undefined when there is one. */
function noFile(file: string): string | undefined {
  const entry = lstatSync(file, { throwIfNoEntry: false });
  if (!entry) return 'missing';
  if (entry.isSymbolicLink()) {
    try {
      statSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ELOOP') return 'it is a link that leads to itself';
      // The disk that it leads to may come back.
      throw new Failure(
        'transient',
        'ledger.link',
        `${file} is a link to ${readlinkSync(file)}, which is not there`,
        { cause: error },
      );
    }
  }
  return statSync(file).isFile() ? undefined : 'it is no file';
}

/** Not an error of the database: it is whole, and written again as soon as the cause is gone. */
function requireWritable(file: string): void {
  for (const path of [file, dirname(file)])
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch (error) {
      throw new Failure(
        'exhausted',
        'ledger.not-writable',
        `${path} cannot be read and written by this user`,
        {
          cause: error,
        },
      );
    }
}

function judge(db: Database): Examined {
  const version = schemaVersion(db);
  const names = namesIn(db);
  if (version === 0 && names.size === 0) return { state: 'none' };
  if (!names.has('facts') || !names.has('clips')) return { state: 'damaged', why: 'it is not a ledger' };
  refuseNewer(db, SCHEMA_VERSION);
  const problems = (db.pragma(`integrity_check(${FINDINGS_MAX})`) as { integrity_check: string }[])
    .map((row) => row.integrity_check)
    .filter((problem) => problem !== 'ok');
  if (problems.length > 0) {
    // One finding may have many lines, below a heading.
    const why = problems[0]?.split('\n').find((line) => !line.startsWith('***')) ?? 'it is not whole';
    // Entries of an index that do not fit the rows. Broken pages are beyond SQLite's own means.
    const onlyIndexes = problems.every((problem) => /\b(?:missing from|in|entry in) index\b/.test(problem));
    return { state: onlyIndexes ? 'mendable' : 'damaged', why };
  }
  const dangling = db.pragma('foreign_key_check') as unknown[];
  if (dangling.length > 0)
    return { state: 'damaged', why: `${dangling.length} lines of custody belong to no clip` };
  const missing = [...expectedNames(version)].filter((name) => !names.has(name));
  return missing.length === 0
    ? { state: 'whole' }
    : { state: 'damaged', why: `its schema is incomplete: ${missing.join(', ')} missing` };
}

const namesIn = (db: Database) =>
  new Set(
    db.prepare<[], string>("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").pluck().all(),
  );

/** Tables, indexes and triggers that a ledger of this version has. */
function expectedNames(version: number): Set<string> {
  const db = new Sqlite(':memory:');
  try {
    for (const step of MIGRATIONS) if (step.version <= version) db.exec(step.sql);
    return namesIn(db);
  } finally {
    db.close();
  }
}
