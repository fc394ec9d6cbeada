import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import type { Clip, ClipRow, ClipRows } from './clip-rows.ts';

/** Judged clips that are looked at: hours of a busy camera. */
const NEWEST_JUDGED = 500;

/** A clip whose verdict is person. */
export interface JudgedPerson {
  readonly clipId: string;
  readonly cameraId: string;
  /** Wall time, Unix milliseconds. */
  readonly triggeredMs: number;
}

export interface JudgedClips {
  /** Clips that show a person and were judged since then, newest first; of the newest 500 that are judged. */
  readonly judgedPersons: (sinceMs: number) => JudgedPerson[];
  /** Clips that were judged since then, with a verdict that is not person, newest first; of the newest 500 that are
   *  judged. One judged later than now tells of a clock that was set back, and counts. */
  readonly judgedWithoutPerson: (sinceMs: number) => Clip[];
}

export function createJudgedClips(db: Database, rows: Pick<ClipRows, 'toClip'>): JudgedClips {
  const newest = `(SELECT * FROM clips INDEXED BY clips_by_state WHERE state = 'judged' ORDER BY clip_id DESC LIMIT ?)`;
  const says = "iif(json_valid(verdict), verdict ->> '$.verdict', NULL)";
  const persons = prepareRows<[number, number], ClipRow>(
    db,
    'clips',
    `SELECT * FROM ${newest} WHERE judged_ms >= ? AND ${says} = 'person'`,
  );
  const withoutPerson = prepareRows<[number, number], ClipRow>(
    db,
    'clips',
    `SELECT * FROM ${newest} WHERE judged_ms >= ? AND ${says} <> 'person'`,
  );
  return {
    judgedPersons: (sinceMs) =>
      persons.all(NEWEST_JUDGED, sinceMs).map((row) => ({
        clipId: row.clip_id,
        cameraId: row.camera_id,
        triggeredMs: row.triggered_ms,
      })),
    judgedWithoutPerson: (sinceMs) => withoutPerson.all(NEWEST_JUDGED, sinceMs).map(rows.toClip),
  };
}
