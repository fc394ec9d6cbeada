import { statSync } from 'node:fs';
import { basename } from 'node:path';
import Sqlite from 'better-sqlite3';
import { fitsChecksum, type SummedTable } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import { createReads, type Reads } from './reads.ts';
import { headerProblem, schemaProblem } from '../database/schema.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Key = string | number;

/** Whether a row is what was written, as far as its checksum tells: ledgers of before had none. */
export const isAsWritten = (table: SummedTable, row: Row): boolean =>
  !('checksum' in row) || fitsChecksum(table, row);

/** Reads what can be read of a database, damaged or not. Nothing is written to it. */
export interface Salvage {
  /** Whether its header and schema are those of a ledger: without, a column may have another name. */
  readonly hasItsSchema: boolean;
  /** Every row of a table that can be read, each once. Empty when the table cannot be read at all.
   *  @param hints keys that may be there: rows behind a damaged page are found by them */
  rows(table: string, key: string, hints?: Iterable<Key>): Row[];
  /** The rows of a table up to the first page that cannot be read. */
  scan(table: string): Row[];
  /** What a query of one column yields until it meets a page that cannot be read. */
  values(sql: string): Key[];
  close(): void;
}

const CHUNK = 64;
/** More rows than a page holds: so many numbers for each page are tried one by one behind a damaged one. */
const ROWS_A_PAGE = 200;

/** @param name what the file is called in the names of its reads
 *  @returns undefined when SQLite does not take the file for a database */
export function openSalvage(
  file: string,
  reads: Reads = createReads(),
  name = basename(file),
): Salvage | undefined {
  const attempt: Attempt = (what, work) => reads.attempt(`${name}: ${what}`, work);
  const db = attempt('open', () => openToSalvage(file));
  if (!db) return undefined;
  return {
    hasItsSchema: attempt('schema', () => (headerProblem(file) ?? schemaProblem(db)) === undefined) ?? false,
    rows: (table, key, hints = []) => withChecksums(readRows(db, attempt, table, key, hints)),
    scan: (table) => withChecksums(readValues<Row>(db, attempt, `SELECT * FROM ${table} NOT INDEXED`, false)),
    values: (sql) => readValues<Key>(db, attempt, sql, true),
    close: () => db.close(),
  };
}

/** Read with a first page that we know, rows of a ledger of before seem to have an empty checksum, all of them. */
const withChecksums = (rows: Row[]): Row[] =>
  rows.some(({ checksum }) => checksum !== null && checksum !== undefined)
    ? rows
    : rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => column !== 'checksum')));

type Attempt = Reads['attempt'];

function openToSalvage(file: string): Database | undefined {
  // To open a pipe would wait for ever.
  if (!statSync(file).isFile()) return undefined;
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    // Unchecked: a constraint that a row breaks is no reason not to read it.
    db.pragma('ignore_check_constraints = ON');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function readRows(db: Database, attempt: Attempt, table: string, key: string, hints: Iterable<Key>): Row[] {
  const found = new Map<Key, Row>();
  const keep = (rows: readonly Row[]) => {
    for (const row of rows) found.set(row[key] as Key, row);
  };
  const from = `SELECT * FROM ${table} NOT INDEXED`;

  /** From one end up to the first page that cannot be read. `isWhole`: there was none. */
  function walk(comparison: '>' | '<', order: 'ASC' | 'DESC'): { last: Key | undefined; isWhole: boolean } {
    let last: Key | undefined;
    for (let step = CHUNK; ; ) {
      const where = last === undefined ? '' : `WHERE ${key} ${comparison} ?`;
      const sql = `${from} ${where} ORDER BY ${key} ${order} LIMIT ${step}`;
      const rows = attempt(`${sql} ${last ?? ''}`, () =>
        db.prepare<Key[], Row>(sql).all(...(last === undefined ? [] : [last])),
      );
      if (rows === undefined) {
        if (step === 1) return { last, isWhole: false };
        step = 1;
        continue;
      }
      if (rows.length === 0) return { last, isWhole: true };
      keep(rows);
      const next = rows.at(-1)?.[key] as Key;
      // Keys out of order would lead it round in circles.
      if (last !== undefined && (order === 'ASC' ? next <= last : next >= last))
        return { last, isWhole: false };
      last = next;
    }
  }

  const low = walk('>', 'ASC');
  const high = low.isWhole ? low : walk('<', 'DESC');
  const bySql = `${from} WHERE ${key} = ?`;
  const one = attempt(bySql, () => db.prepare<[Key], Row>(bySql));
  const lookFor = (value: Key) => {
    if (found.has(value)) return;
    const row = attempt(`${bySql} ${value}`, () => one?.get(value));
    // The row that a damaged page gives may be another one.
    if (row && row[key] === value) found.set(value, row);
  };
  for (const hint of hints) lookFor(hint);
  if (!low.isWhole && (typeof low.last === 'number' || typeof high.last === 'number')) {
    const pages = attempt('page_count', () => db.pragma('page_count', { simple: true }) as number) ?? 0;
    const begin = typeof low.last === 'number' ? low.last + 1 : 1;
    const most = begin + pages * ROWS_A_PAGE;
    const end = typeof high.last === 'number' ? Math.min(high.last, most) : most;
    for (let value = begin; value < end; value += 1) lookFor(value);
  }
  return [...found.values()];
}

function readValues<T>(db: Database, attempt: Attempt, sql: string, pluck: boolean): T[] {
  const values: T[] = [];
  attempt(sql, () => {
    for (const value of db.prepare<[], T>(sql).pluck(pluck).iterate()) values.push(value);
  });
  return values;
}
