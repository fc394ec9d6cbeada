import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { ClipState } from '../clips/clip-states.ts';
import { clipTotals } from '../clips/totals.ts';

/** A clip parked for the first time is tried again after `minMs`, then after twice as long each time. */
export const PARKED_AGAIN: BackoffPolicy = { minMs: 3_600_000, maxMs: 24 * 3_600_000 };

export interface ParkedClips {
  /** Puts back into the queue the parked clip whose time came first: hours after it was parked, later each time, at
   *  least once a day, restarts included.
   *  @returns its id; undefined when none is due */
  readonly returnParked: () => string | undefined;
  /** An operator wants the clip uploaded: a parked one goes back to the queue, one that waits for its next try goes
   *  now. Asking twice changes nothing more. */
  readonly retryClip: (clipId: string) => 'returned' | 'waiting' | 'uploaded' | 'lost' | 'unknown-clip';
  /** How many clips are parked, and why the newest of them is. */
  readonly parked: () => { readonly clips: number; readonly reason: string | null };
}

/** What the operator is told who wants a clip uploaded that was in this state. */
const ANSWER = {
  recording: 'waiting',
  sealed: 'waiting',
  uploading: 'waiting',
  parked: 'returned',
  uploaded: 'uploaded',
  judged: 'uploaded',
  lost: 'lost',
} as const satisfies Record<ClipState, ReturnType<ParkedClips['retryClip']>>;

export interface Parked extends ParkedClips {
  /** A clip has been parked: its time begins. */
  readonly begin: (clipId: string) => void;
  /** Times of the clips that an earlier process parked. */
  recall(): void;
}

/** Parked clips, and when they are tried again.
 *  Invariants
 *  1. A parked clip is tried again, ever more slowly, at least once a day.
 *  2. Its time is monotonic while the process lives. The next process takes what has passed from the line of custody,
 *     which has wall time: a clock that was set makes it wait the whole time again, or come at once, and never longer. */
export function createParked({
  db,
  rows,
  clock,
}: {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}): Parked {
  const all = db.prepare<[], string>("SELECT clip_id FROM clips WHERE state = 'parked'").pluck();
  const history = db.prepare<[string], { times: number; lastMs: number | null }>(
    "SELECT count(*) AS times, max(at_ms) AS lastMs FROM custody WHERE clip_id = ? AND event = 'park'",
  );
  const totals = clipTotals(db);
  const newest = db
    .prepare<[], string | null>(
      "SELECT reason FROM clips WHERE state = 'parked' ORDER BY clip_id DESC LIMIT 1",
    )
    .pluck();
  const hurry = db.prepare(
    "UPDATE clips SET retry_at = NULL WHERE clip_id = ? AND state = 'sealed' AND retry_at IS NOT NULL",
  );
  /** Monotonic time at which each is due. Clips that were given up since are found out when they are due. */
  const dueAt = new Map<string, number>();

  function requeue(clipId: string, reason: string): void {
    db.transaction(() =>
      rows.move(clipId, 'requeue', reason, { blob_url: null, uploaded_ms: null, retry_at: null, reason }),
    ).immediate();
    dueAt.delete(clipId);
  }

  const waitOf = (times: number) => backoffMs(PARKED_AGAIN, Math.max(0, times - 1), () => 0.5);

  return {
    begin(clipId) {
      dueAt.set(clipId, clock.monotonicMs() + waitOf(history.get(clipId)?.times ?? 1));
    },

    recall() {
      for (const clipId of all.all()) {
        const { times = 1, lastMs = null } = history.get(clipId) ?? {};
        const waitMs = waitOf(times);
        const passedMs = Math.min(waitMs, Math.max(0, clock.nowMs() - (lastMs ?? clock.nowMs())));
        dueAt.set(clipId, clock.monotonicMs() + waitMs - passedMs);
      }
    },

    returnParked() {
      const now = clock.monotonicMs();
      let next: { clipId: string; atMs: number } | undefined;
      for (const [clipId, atMs] of dueAt)
        if (atMs <= now && (next === undefined || atMs < next.atMs)) next = { clipId, atMs };
      if (!next) return undefined;
      const row = rows.get(next.clipId);
      if (row?.state === 'parked') {
        requeue(next.clipId, `tried again by itself; it was refused: ${row.reason ?? 'without a reason'}`);
        return next.clipId;
      }
      dueAt.delete(next.clipId);
      return undefined;
    },

    retryClip(clipId) {
      const row = rows.get(clipId);
      const folded = row ? undefined : rows.folded(clipId);
      if (!row) return folded ? ANSWER[folded.state] : 'unknown-clip';
      if (row.state === 'parked')
        requeue(clipId, `asked for by the operator; it was refused: ${row.reason ?? 'without a reason'}`);
      if (row.state === 'sealed')
        db.transaction(() => {
          if (hurry.run(clipId).changes > 0) rows.note(clipId, 'retry', 'asked for by the operator');
        }).immediate();
      return ANSWER[row.state];
    },

    parked: () => ({
      clips: totals().reduce((sum, { state, clips }) => sum + (state === 'parked' ? clips : 0), 0),
      reason: newest.get() ?? null,
    }),
  };
}
