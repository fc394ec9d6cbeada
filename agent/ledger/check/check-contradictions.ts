import { LAST_MS } from '../clips/clip-id.ts';
import type { Database } from '../database/database.ts';

/** Rows that contradict themselves. Each query yields clip ids. */
const CONTRADICTIONS: readonly { readonly problem: string; readonly sql: string }[] = [
  {
    problem: 'it is finished, but has no size or checksum',
    sql: `state IN ('sealed','uploading','uploaded','judged','parked') AND (bytes IS NULL OR sha256 IS NULL)`,
  },
  {
    problem: 'it is uploaded, but nothing says where to',
    sql: `state IN ('uploaded','judged') AND (blob_url IS NULL OR uploaded_ms IS NULL OR attempt = 0)`,
  },
  { problem: 'its verdict cannot be read', sql: 'verdict IS NOT NULL AND json_valid(verdict) = 0' },
  {
    problem: 'one of its times is none that a clip can have',
    sql: ['triggered_ms', 'started_ms', 'sealed_ms', 'uploaded_ms', 'judged_ms']
      .map((column) => `${column} NOT BETWEEN 0 AND ${LAST_MS}`)
      .join(' OR '),
  },
  { problem: 'it is judged, but has no verdict', sql: `state = 'judged' AND verdict IS NULL` },
  { problem: 'it is given up without a reason', sql: `state IN ('lost','parked') AND reason IS NULL` },
  {
    problem: 'it waits for its upload, but its file is given up',
    sql: `state IN ('recording','sealed','uploading','parked') AND on_disk = 0`,
  },
  {
    problem: 'its history does not end where the row stands',
    sql: `state <> coalesce((SELECT state FROM custody WHERE custody.clip_id = clips.clip_id
          ORDER BY seq DESC LIMIT 1), '')`,
  },
];

/** @returns what is wrong with clips of this range of ids, by clip id */
export function contradictionsIn(db: Database, fromId: string, toId: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { problem, sql } of CONTRADICTIONS)
    for (const id of db
      .prepare<[string, string], string>(
        `SELECT clip_id FROM clips WHERE clip_id >= ? AND clip_id <= ? AND (${sql})`,
      )
      .pluck()
      .all(fromId, toId))
      found.set(id, problem);
  return found;
}
