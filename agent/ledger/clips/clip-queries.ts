import { type ClipGlances, createClipGlances } from '../clip-glances.ts';
import type { Clock } from '../../kernel/clock.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import type { Outbox } from '../queues/outbox.ts';
import type { Clip, ClipRow, ClipRows } from './clip-rows.ts';
import { createJudgedClips, type JudgedClips } from './judged-clips.ts';
import { clipTotals, foldedClips, recordedTime } from './totals.ts';

/** A clip with a file in one of these states is nowhere else. */
const ONLY_HERE: ReadonlySet<ClipRow['state']> = new Set(['recording', 'sealed', 'uploading', 'parked']);

/** Lines of custody that a clip has at its usual end, and some more. */
const LINES_OF_A_CHANGE = 8;

export interface LedgerSummary {
  readonly clips: number;
  readonly waiting: number;
  readonly awaitingVerdict: number;
  /** Of clips on this disk. */
  readonly bytes: number;
  /** Of those, what is not in Blob Storage: giving it up would lose it. */
  readonly bytesOnlyHere: number;
  /** Wall time, Unix milliseconds, at which the clip was triggered that waits longest for its upload. */
  readonly oldestWaitingMs: number | null;
  /** Events that wait for the hub. */
  readonly outgoing: number;
  /** Events that went unsent because too many waited, since the ledger was made. */
  readonly eventsDropped: number;
}

/** Questions about clips, of which the answer changes nothing. */
export interface ClipQueries extends JudgedClips, ClipGlances {
  /** Clips uploaded at least `ageMs` ago that have no verdict. In the order of their ids: the first ones `after` an id,
   *  oldest first, or the last ones `before` one, newest first. */
  readonly awaitingVerdict: (
    ageMs: number,
    limit: number,
    from?: { readonly after: string } | { readonly before: string },
  ) => Clip[];
  /** How long the clips of a camera are together that were triggered from one moment up to another, milliseconds. One
   *  that is being written does not count yet. */
  readonly recordedMs: (query: { cameraId: string; fromMs: number; toMs: number }) => number;
  /** Grows with each line of custody, so with each change of a clip; 0 when there is none. */
  readonly lastChange: () => number;
  /** Clips that have changed since `lastChange` said so. `isWhole` is false when there are more than `limit`. */
  readonly changes: (query: { after: number; limit: number }) => {
    readonly clips: readonly Clip[];
    readonly isWhole: boolean;
  };
  /** Undefined also for one of long ago, of which only totals are kept. */
  readonly clip: (clipId: string) => Clip | undefined;
  /** Newest first. */
  readonly clips: (query: { limit: number; beforeClipId?: string }) => Clip[];
  /** Totals for the status page and the cloud; clips of long ago count, though their rows are gone. */
  readonly summary: () => LedgerSummary;
}

export interface ClipQueriesDeps {
  readonly db: Database;
  readonly rows: Pick<ClipRows, 'get' | 'toClip'>;
  readonly outbox: Pick<Outbox, 'count' | 'dropped'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export function createClipQueries({ db, rows, outbox, clock }: ClipQueriesDeps): ClipQueries {
  const newestFirst = prepareRows<[string, number], ClipRow>(
    db,
    'clips',
    'SELECT * FROM clips WHERE clip_id < ? ORDER BY clip_id DESC LIMIT ?',
  );
  // An upload later than now tells of a clock that was set back: old enough.
  const unjudged = (place: string, order: string) =>
    prepareRows<[string, number, number, number], ClipRow>(
      db,
      'clips',
      `SELECT * FROM clips INDEXED BY clips_by_state
       WHERE state = 'uploaded' AND ${place} AND (uploaded_ms <= ? OR uploaded_ms > ?) ORDER BY ${order} LIMIT ?`,
    );
  const someUnjudged = (place: string) =>
    db.prepare<[number], 1>(
      `SELECT 1 FROM clips INDEXED BY clips_by_age WHERE state = 'uploaded' AND ${place} LIMIT 1`,
    );
  const someBy = someUnjudged('uploaded_ms <= ?');
  const someLater = someUnjudged('uploaded_ms > ?');
  const unjudgedAfter = unjudged('clip_id > ?', 'clip_id');
  const unjudgedBefore = unjudged('clip_id < ?', 'clip_id DESC');
  const lastSeq = db.prepare<[], number | null>('SELECT max(seq) FROM custody').pluck();
  const changed = db
    .prepare<[number, number], string>('SELECT clip_id FROM custody WHERE seq > ? ORDER BY seq LIMIT ?')
    .pluck();
  const totals = clipTotals(db);
  const folded = foldedClips(db);
  const longestWaiting = db
    .prepare<[], number | null>(
      `SELECT triggered_ms FROM clips WHERE clip_id = (SELECT min(clip_id) FROM (
         SELECT min(clip_id) AS clip_id FROM clips WHERE state = 'sealed'
         UNION ALL SELECT min(clip_id) FROM clips WHERE state = 'uploading'))`,
    )
    .pluck();

  return {
    ...createJudgedClips(db, rows),
    ...createClipGlances(db),
    clip(clipId) {
      const row = rows.get(clipId);
      return row && rows.toClip(row);
    },
    // '~' sorts behind every character of a clip id.
    clips: ({ limit, beforeClipId = '~' }) => newestFirst.all(beforeClipId, limit).map(rows.toClip),
    recordedMs: recordedTime(db),
    lastChange: () => lastSeq.get() ?? 0,
    changes({ after, limit }) {
      const lines = changed.all(after, limit * LINES_OF_A_CHANGE);
      const ids = [...new Set(lines)];
      const found = ids.slice(0, limit).flatMap((clipId) => rows.get(clipId) ?? []);
      return {
        clips: found.map(rows.toClip),
        isWhole: ids.length <= limit && lines.length < limit * LINES_OF_A_CHANGE,
      };
    },
    awaitingVerdict(ageMs, limit, from = { after: '' }) {
      const now = Math.round(clock.nowMs());
      // While all are too young, none is looked at: there may be many.
      if (someBy.get(now - ageMs) === undefined && someLater.get(now) === undefined) return [];
      const found =
        'after' in from
          ? unjudgedAfter.all(from.after, now - ageMs, now, limit)
          : unjudgedBefore.all(from.before, now - ageMs, now, limit);
      return found.map(rows.toClip);
    },

    summary() {
      const all = totals();
      const clips = (...states: ClipRow['state'][]) =>
        all.reduce((sum, row) => sum + (states.includes(row.state) ? row.clips : 0), 0);
      const onDisk = all.filter((row) => row.onDisk === 1);
      return {
        clips: all.reduce((sum, row) => sum + row.clips, folded()),
        waiting: clips('sealed', 'uploading'),
        awaitingVerdict: clips('uploaded'),
        bytes: onDisk.reduce((sum, { bytes }) => sum + bytes, 0),
        bytesOnlyHere: onDisk
          .filter(({ state }) => ONLY_HERE.has(state))
          .reduce((sum, { bytes }) => sum + bytes, 0),
        oldestWaitingMs: longestWaiting.get() ?? null,
        outgoing: outbox.count(),
        eventsDropped: outbox.dropped(),
      };
    },
  };
}
