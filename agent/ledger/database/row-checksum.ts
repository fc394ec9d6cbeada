import { crc32 } from 'node:zlib';
import type { Database, Statement } from 'better-sqlite3';
import { Failure } from '../../kernel/failure.ts';

/** Tables whose rows carry a checksum (CRC-32, column `checksum`), and the columns it is over, in this order; the first
 *  one is the table's key. What is not here is counted again from what is. */
export const SUMMED = {
  clips:
    'clip_id camera_id state clock_quality blob_name triggered_ms started_ms sealed_ms uploaded_ms judged_ms pre_roll_ms duration_ms bytes sha256 blob_url attempt lease_until retry_at verdict verdict_revision reason on_disk finished_ms'.split(
      ' ',
    ),
  custody: ['seq', 'clip_id', 'at_ms', 'event', 'state', 'detail'],
  inbox: ['seq', 'message_id', 'body_sha256', 'received_ms', 'body', 'outcome', 'reason'],
  outbox: ['event_id', 'event', 'rank', 'bytes', 'body'],
  folded: ['camera_id', 'day', 'state', 'detail', 'clips', 'bytes'],
  folded_clips: ['clip_id', 'camera_id', 'state'],
} as const satisfies Record<string, readonly string[]>;
export type SummedTable = keyof typeof SUMMED;

type Raw = Readonly<Record<string, unknown>>;

/** The checksum of a row's values, as SQLite gives them to JavaScript. The table counts, too. */
export const checksumOf = (table: string, values: readonly unknown[]): number =>
  crc32(JSON.stringify([table, ...values.map(inWords)]));

const inWords = (value: unknown) =>
  value instanceof Uint8Array ? ['blob', Buffer.from(value).toString('latin1')] : value;

/** Whether a whole row is what was written. */
export const fitsChecksum = (table: SummedTable, row: Raw): boolean =>
  row['checksum'] ===
  checksumOf(
    table,
    SUMMED[table].map((column) => row[column]),
  );

/** How a sentence about such a row ends. */
export const NOT_WRITTEN = 'is not what was written';
export const ROW_DAMAGED = 'ledger.row-damaged';
export const rowDamaged = (table: string, key: unknown): Failure =>
  new Failure('corrupt', ROW_DAMAGED, `row ${String(key)} of ${table} ${NOT_WRITTEN}`);

/** Gives a connection what the triggers of the ledger need. Whoever writes a row without it is refused by SQLite. */
export function defineChecksums(db: Database): void {
  // The owner compares the schema with what it should be before it is used. Both functions only compute: a foreign schema
  // could do nothing with them.
  db.pragma('trusted_schema = ON');
  const options = { varargs: true, deterministic: true } as const;
  db.function('row_checksum', options, (table, ...values) => checksumOf(String(table), values));
  db.function('require_checksum', options, (table, checksum, ...values) => {
    if (checksum !== checksumOf(String(table), values)) throw rowDamaged(String(table), values[0]);
    return null;
  });
}

/** Adds the checksum to every table, sums what is there, and has SQLite sum each row that is written. A row that is
 *  damaged is not changed: that would make its damage right. */
export const addChecksums = (Object.keys(SUMMED) as SummedTable[])
  .map((table) => {
    const columns = SUMMED[table];
    const of = (prefix: string) => columns.map((column) => `${prefix}${column}`).join(', ');
    // Of the tables with a key of several columns all of them tell the row.
    const key = table === 'folded' ? columns.slice(0, 4) : columns.slice(0, 1);
    const sum = `UPDATE ${table} SET checksum = row_checksum('${table}', ${of('new.')})
          WHERE ${key.map((column) => `${column} = new.${column}`).join(' AND ')}`;
    return `
      ALTER TABLE ${table} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
      UPDATE ${table} SET checksum = row_checksum('${table}', ${of('')});
      CREATE TRIGGER ${table}_sum_insert AFTER INSERT ON ${table} BEGIN
        ${sum};
      END;
      CREATE TRIGGER ${table}_sum_update AFTER UPDATE OF ${of('')} ON ${table} BEGIN
        SELECT require_checksum('${table}', old.checksum, ${of('old.')});
        ${sum};
      END;
    `;
  })
  .join('');

/** Reads whole rows, each of which is compared with its checksum.
 *  @param sql must yield every column of the table
 *  @throws Failure `corrupt` `ledger.row-damaged` for one that does not fit; none of them is given then */
export function prepareRows<Parameters extends unknown[], Row extends object>(
  db: Database,
  table: SummedTable,
  sql: string,
): { get(...given: Parameters): Row | undefined; all(...given: Parameters): Row[] } {
  const statement: Statement<Parameters, Row> = db.prepare(sql);
  const believed = (row: Row): Row => {
    const raw = row as Raw;
    // A ledger of before, looked at from outside.
    if ('checksum' in raw && !fitsChecksum(table, raw)) throw rowDamaged(table, raw[SUMMED[table][0] ?? '']);
    return row;
  };
  return {
    get(...given) {
      const row = statement.get(...given);
      return row && believed(row);
    },
    all: (...given) => statement.all(...given).map(believed),
  };
}

/** One sentence for each row that is not what was written, at most so many. Nothing is changed. */
export function rowFindings(
  db: Database,
  max: number,
  tables: readonly SummedTable[] = Object.keys(SUMMED) as SummedTable[],
): string[] {
  const found: string[] = [];
  for (const table of tables) {
    if (!hasChecksums(db, table)) continue;
    for (const row of db.prepare<[], Raw>(`SELECT * FROM ${table} NOT INDEXED`).iterate()) {
      if (fitsChecksum(table, row)) continue;
      found.push(rowDamaged(table, row[SUMMED[table][0] ?? '']).message);
      if (found.length >= max) return found;
    }
  }
  return found;
}

const hasChecksums = (db: Database, table: string) =>
  db.prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = 'checksum'").get(table) !== undefined;
