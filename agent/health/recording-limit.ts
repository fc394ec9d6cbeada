import type { CameraStatus } from '../capture/capture.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import { ifAnswers } from '../kernel/if-answers.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** How much a camera may record within 24 hours. */
export interface RecordingLimit {
  /** Whether this camera has recorded as much as it may. Asked when something moves. */
  isReached(cameraId: string): boolean;
  /** Takes back what is over. Called every second. */
  look(cameras: readonly Pick<CameraStatus, 'cameraId'>[]): void;
}

export interface RecordingLimitDeps {
  /** Of each camera; undefined: there is no limit. */
  readonly dailyMinutes: () => number | undefined;
  readonly ledger: Pick<Ledger, 'recordedMs'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Invariants
 *  1. What counts is what the ledger holds of the last 24 hours: a restart forgives nothing, and clips that a clock which
 *     was wrong dated otherwise bound nobody.
 *  2. While the ledger does not answer there is no limit: evidence comes first.
 *  3. A camera that has reached it is a condition until it may record again, is gone, or the limit is. */
export function createRecordingLimit(deps: RecordingLimitDeps): RecordingLimit {
  const { dailyMinutes, ledger, conditions, clock } = deps;
  const reached = new Set<string>();
  let lookedMs = Number.NEGATIVE_INFINITY;

  function isReached(cameraId: string): boolean {
    const minutes = dailyMinutes();
    const toMs = clock.nowMs();
    const recordedMs =
      minutes === undefined
        ? null
        : ifAnswers(() => ledger.recordedMs({ cameraId, fromMs: toMs - DAY_MS, toMs }));
    if (minutes === undefined || recordedMs === null || recordedMs < minutes * MINUTE_MS) {
      over(cameraId);
      return false;
    }
    reached.add(cameraId);
    conditions.raise(
      'recording-limit',
      `${minutes} minutes of clips within 24 hours are recorded, which is the bound; what moves now is noted and not recorded`,
      cameraId,
    );
    return true;
  }

  function over(cameraId: string): void {
    if (reached.delete(cameraId)) conditions.clear('recording-limit', cameraId);
  }

  return {
    isReached,
    look(cameras) {
      if (reached.size === 0 || clock.monotonicMs() - lookedMs < MINUTE_MS) return;
      lookedMs = clock.monotonicMs();
      const present = new Set(cameras.map(({ cameraId }) => cameraId));
      for (const cameraId of [...reached])
        if (present.has(cameraId)) isReached(cameraId);
        else over(cameraId);
    },
  };
}
