import { accessSync, constants, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { classify } from '../../kernel/classify.ts';
import { Failure } from '../../kernel/failure.ts';
import { type Database, refuseNewer, schemaVersion } from '../database/database.ts';
import { SCHEMA_VERSION } from '../database/migrations.ts';
import { rowFindings } from '../database/row-checksum.ts';
import { headerProblem, schemaProblem } from '../database/schema.ts';

/** none: there is no database, or one that nothing was ever written into · mendable: only what SQLite can make again
 *  from the rows is wrong · damaged: it must not be written on any more */
export type Examined =
  | { readonly state: 'none' | 'whole' }
  | { readonly state: 'mendable' | 'damaged'; readonly why: string };

type OnStep = (what: string) => void;

export interface ExamineOptions {
  readonly toWrite?: boolean;
  /** Told before what may take long. */
  readonly onStep?: OnStep | undefined;
}

const BUSY_MS = 5_000;
/** Findings of SQLite that are read; the first one is told. */
const FINDINGS_MAX = 100;

/** Looks a database over without changing it; only what a transaction that was cut off has left is undone, when it is
 *  to be written anyway.
 *  @param options.toWrite whether it is of use only when it can be written
 *  @throws Failure when it is not for us to judge: written by a newer version, locked by another program, not
 *  readable, not writable, on a disk that fails */
export function examineDatabase(
  file: string,
  { toWrite = true, onStep = () => undefined }: ExamineOptions = {},
): Examined {
  const reason = noFile(file);
  if (reason === 'missing') return { state: 'none' };
  if (reason !== undefined) return { state: 'damaged', why: reason };
  if (toWrite) requireWritable(file);
  try {
    return toWrite ? lookUndoing(file, onStep) : lookOnly(file, onStep);
  } catch (error) {
    const failure = classify(error, 'ledger.examine');
    // SQLite's own words for a schema that cannot be read, or for a statement that the schema does not fit.
    const isSchema = codeOf(error) === 'SQLITE_ERROR';
    if (failure.kind === 'corrupt' || isSchema) return { state: 'damaged', why: failure.message };
    throw failure;
  }
}

function lookUndoing(file: string, onStep: OnStep): Examined {
  try {
    return lookOnly(file, onStep);
  } catch (error) {
    if (codeOf(error) !== 'SQLITE_READONLY_ROLLBACK') throw error;
    undoCutTransaction(file);
    return lookOnly(file, onStep);
  }
}

function lookOnly(file: string, onStep: OnStep): Examined {
  const db = new Sqlite(file, { readonly: true, timeout: BUSY_MS });
  try {
    return judge(db, file, onStep);
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

const notALedger: Examined = { state: 'damaged', why: 'it is not a ledger' };

function judge(db: Database, file: string, onStep: OnStep): Examined {
  onStep('the schema');
  if (!hasTables(db)) return schemaVersion(db) === 0 ? { state: 'none' } : notALedger;
  // Of a newer version that changed everything else it says who may read it.
  if (!hasTable(db, 'facts')) return notALedger;
  refuseNewer(db, SCHEMA_VERSION);
  const wrong = headerProblem(file) ?? schemaProblem(db);
  if (wrong !== undefined) return { state: 'damaged', why: wrong };
  onStep('every page');
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
  onStep('lines of custody without a clip');
  const dangling = db.pragma('foreign_key_check') as unknown[];
  if (dangling.length > 0)
    return { state: 'damaged', why: `${dangling.length} lines of custody belong to no clip` };
  onStep('every row');
  const [damaged] = rowFindings(db, 1);
  return damaged === undefined ? { state: 'whole' } : { state: 'damaged', why: damaged };
}

/** Whether there is anything in it, also under names that are damaged. */
const hasTables = (db: Database) => db.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() !== undefined;

const hasTable = (db: Database, name: string) =>
  db.prepare<[string]>("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !==
  undefined;
