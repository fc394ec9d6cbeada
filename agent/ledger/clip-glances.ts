import type { Verdict } from '@dachawatch/contracts';
import type { Database } from './database/database.ts';
import { prepareRows } from './database/row-checksum.ts';
import type { ClipRow } from './clips/clip-rows.ts';

/** What an overview shows of a clip. */
export interface ClipGlance {
  readonly clipId: string;
  readonly cameraId: string;
  readonly state: ClipRow['state'];
  /** Wall time, Unix milliseconds. */
  readonly triggeredMs: number;
  readonly verdict: Verdict['verdict'] | null;
  /** Of a verdict that has a best frame; null when there is none. */
  readonly revision: number | null;
}

export interface ClipGlances {
  /** Clips triggered from one moment up to another, newest first; of the `newest` so many that there are.
   *  `reachesBack` is false when older ones, which were not looked at, may belong to them. */
  readonly glance: (query: { fromMs: number; toMs: number; newest: number }) => {
    readonly clips: readonly ClipGlance[];
    readonly reachesBack: boolean;
  };
}

export function createClipGlances(db: Database): ClipGlances {
  // Columns of SQLite's own beside those of the row: to read a verdict here would cost several times as much.
  const newestGlances = prepareRows<
    [number],
    ClipRow & { readonly says: ClipGlance['verdict']; readonly shown: number | null }
  >(
    db,
    'clips',
    `SELECT *, iif(json_valid(verdict), verdict ->> '$.verdict', NULL) AS says,
       iif(json_valid(verdict) AND verdict ->> '$.best_frame.blobName' IS NOT NULL, verdict_revision, NULL) AS shown
     FROM clips WHERE clip_id < '~' ORDER BY clip_id DESC LIMIT ?`,
  );
  return {
    glance({ fromMs, toMs, newest }) {
      const found: ClipGlance[] = newestGlances.all(newest).map((row) => ({
        clipId: row.clip_id,
        cameraId: row.camera_id,
        state: row.state,
        triggeredMs: row.triggered_ms,
        verdict: row.says,
        revision: row.shown,
      }));
      const oldest = found.at(-1);
      return {
        clips: found.filter(({ triggeredMs }) => triggeredMs >= fromMs && triggeredMs < toMs),
        reachesBack: found.length < newest || oldest === undefined || oldest.triggeredMs < fromMs,
      };
    },
  };
}
