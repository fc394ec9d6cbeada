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
  const persons = db.prepare<[number, number], JudgedPerson>(
    `SELECT clip_id AS clipId, camera_id AS cameraId, triggered_ms AS triggeredMs FROM ${newest}
     WHERE judged_ms >= ? AND ${says} = 'person'`,
  );
  const withoutPerson = db.prepare<[number, number], ClipRow>(
    `SELECT * FROM ${newest} WHERE judged_ms >= ? AND ${says} <> 'person'`,
  );
  return {
    judgedPersons: (sinceMs) => persons.all(NEWEST_JUDGED, sinceMs),
    judgedWithoutPerson: (sinceMs) => withoutPerson.all(NEWEST_JUDGED, sinceMs).map(rows.toClip),
  };
}
