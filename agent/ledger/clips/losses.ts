import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import type { ClipRows } from './clip-rows.ts';
import type { Database } from '../database/database.ts';

/** Custody: evidence that was nowhere else went without anybody having asked for it. */
export const EVIDENCE_LOST = 'evidence-lost';
const TOLD_MS = 24 * 3_600_000;
/** Clips counted one by one. */
const TOLD_MAX = 1_000;
/** Clips looked at for what an earlier process has told. */
const RECALLED = 200;

/** Tells of clips that are nowhere else and went, or whose files are not what was recorded.
 *  Invariant: the condition stands for a day after the newest of them, restarts included. */
export interface Losses {
  /** The clip is lost: a line of custody, and the condition. */
  lost(clipId: string, reason: string): void;
  /** Its file is there and is not what was sealed. */
  damaged(clipId: string, reason: string): void;
  /** What an earlier process has told, as far as its day is not over. */
  recall(): void;
  /** Ends what has been told for a day. */
  expire(): void;
}

export function createLosses(deps: {
  readonly db: Database;
  readonly rows: Pick<ClipRows, 'get' | 'note' | 'custody'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}): Losses {
  const { db, rows, conditions, clock } = deps;
  const newest = db
    .prepare<[number], string>(
      "SELECT clip_id FROM clips INDEXED BY clips_by_state WHERE state = 'lost' ORDER BY clip_id DESC LIMIT ?",
    )
    .pluck();
  /** Told of, the newest last: monotonic time until which it is. */
  const told = new Map<string, { readonly untilMs: number; readonly reason: string }>();

  function say(): void {
    const last = [...told].at(-1);
    if (!last) {
      conditions.clear('clips-lost');
      return;
    }
    const [clipId, { reason }] = last;
    conditions.raise(
      'clips-lost',
      told.size === 1
        ? `1 clip that was never uploaded is lost or damaged. The last, ${clipId}: ${reason}. This is said for a day after the last one`
        : `${told.size} clips that were never uploaded are lost or damaged. The last, ${clipId}: ${reason}. This is said for a day after the last one`,
    );
  }

  function tell(clipId: string, reason: string, leftMs: number): void {
    told.delete(clipId);
    told.set(clipId, { untilMs: clock.monotonicMs() + leftMs, reason });
    if (told.size > TOLD_MAX) told.delete(told.keys().next().value ?? '');
  }

  return {
    lost(clipId, reason) {
      db.transaction(() => {
        if (rows.get(clipId)) rows.note(clipId, EVIDENCE_LOST, reason);
      }).immediate();
      tell(clipId, reason, TOLD_MS);
      say();
    },
    damaged(clipId, reason) {
      tell(clipId, reason, TOLD_MS);
      say();
    },
    recall() {
      for (const clipId of newest.all(RECALLED).toReversed()) {
        const line = rows.custody(clipId).findLast(({ event }) => event === EVIDENCE_LOST);
        // A time that is to come tells of a clock that was set.
        const passedMs = line && Math.max(0, clock.nowMs() - line.atMs);
        if (passedMs !== undefined && passedMs < TOLD_MS)
          tell(clipId, line?.detail ?? 'lost', TOLD_MS - passedMs);
      }
      say();
    },
    expire() {
      const now = clock.monotonicMs();
      // Its upload was a success after all, or its file is back.
      for (const [clipId, { untilMs }] of told) if (untilMs <= now || !isWrong(clipId)) told.delete(clipId);
      say();
    },
  };

  function isWrong(clipId: string): boolean {
    const state = rows.get(clipId)?.state;
    return state !== 'uploaded' && state !== 'judged';
  }
}
