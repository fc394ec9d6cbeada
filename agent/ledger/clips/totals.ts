import { firstIdAt } from './clip-id.ts';
import type { Database } from '../database/database.ts';
import type { ClipState } from './clip-states.ts';
import { COUNT_ALL } from '../database/migrations.ts';

/** Clips in one state that have a file on this disk, or have none. */
export interface ClipTotal {
  readonly state: ClipState;
  readonly onDisk: 0 | 1;
  readonly clips: number;
  readonly bytes: number;
}

/** What is counted as it changes, by triggers in the transaction of the change, so that nobody has to count rows.
 *  @returns a function that reads the totals of clips: one row for each state and place */
export function clipTotals(db: Database): () => ClipTotal[] {
  const select = db.prepare<[], ClipTotal>('SELECT state, on_disk AS onDisk, clips, bytes FROM clip_totals');
  return () => select.all();
}

/** How many clips are part of the totals of their day and have no row any more. */
export function foldedClips(db: Database): () => number {
  const select = db.prepare<[], number>("SELECT value FROM facts WHERE name = 'clips_folded'").pluck();
  return () => select.get() ?? 0;
}

const COUNTED: readonly {
  readonly what: string;
  /** The table without which there is nothing to compare: a program before that made the ledger. */
  readonly table: string;
  readonly kept: string;
  readonly counted: string;
}[] = [
  {
    what: 'clips',
    table: 'clip_totals',
    kept: `SELECT json_group_array(json_array(state, on_disk, clips, bytes)) FROM
           (SELECT * FROM clip_totals WHERE clips <> 0 OR bytes <> 0 ORDER BY state, on_disk)`,
    counted: `SELECT json_group_array(json_array(state, on_disk, clips, bytes)) FROM
              (SELECT state, on_disk, count(*) AS clips, coalesce(sum(bytes), 0) AS bytes FROM clips
               GROUP BY state, on_disk ORDER BY state, on_disk)`,
  },
  {
    what: 'events for the hub',
    table: 'clip_totals',
    kept: `SELECT json_array((SELECT value FROM facts WHERE name = 'outbox_events'),
                             (SELECT value FROM facts WHERE name = 'outbox_bytes'))`,
    counted: 'SELECT json_array(count(*), coalesce(sum(bytes), 0)) FROM outbox',
  },
  {
    what: 'cloud messages to be read',
    table: 'clip_totals',
    kept: "SELECT json_array((SELECT value FROM facts WHERE name = 'inbox_unread'))",
    counted: "SELECT json_array(count(*)) FROM inbox WHERE outcome = 'unread'",
  },
  {
    what: 'clips of long ago',
    table: 'folded_clips',
    kept: "SELECT json_array((SELECT value FROM facts WHERE name = 'clips_folded'))",
    counted: 'SELECT json_array(count(*)) FROM folded_clips',
  },
];

/** Sentences about totals that are not what the rows say. Reads every row. Nothing is changed. */
export function totalsFindings(db: Database): string[] {
  const hasTable = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  const read = (sql: string) => db.prepare<[], string>(sql).pluck().get();
  // One transaction: the owner may be at work.
  return db.transaction(() =>
    COUNTED.flatMap(({ what, table, kept, counted }) =>
      hasTable.get(table) === undefined || read(kept) === read(counted)
        ? []
        : [`the totals of ${what} are ${read(kept)}, but the rows say ${read(counted)}`],
    ),
  )();
}

/** Counts the rows again. */
export const countAgain = (db: Database): void => db.transaction(() => void db.exec(COUNT_ALL)).immediate();

/** Answers how long the clips of a camera are together, milliseconds. */
export function recordedTime(
  db: Database,
): (query: { cameraId: string; fromMs: number; toMs: number }) => number {
  // An id is never of an earlier time than its trigger.
  const recorded = db
    .prepare<[string, string, number, number], number>(
      `SELECT total(duration_ms) FROM clips
       WHERE clip_id >= ? AND camera_id = ? AND triggered_ms BETWEEN ? AND ?`,
    )
    .pluck();
  return ({ cameraId, fromMs, toMs }) =>
    recorded.get(firstIdAt(fromMs), cameraId, Math.floor(fromMs), Math.ceil(toMs)) ?? 0;
}
