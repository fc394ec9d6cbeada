import type { SuppressionCounts } from '@dachawatch/contracts';
import type { Alertness } from '../child/decoding/decoding-policy.ts';
import type { CameraStanding } from './camera-state.ts';
import type { HeardBeat } from './child-patience.ts';

export interface CameraStatus extends CameraStanding {
  readonly cameraId: string;
  readonly title: string;
  readonly pid: number | null;
  /** How long it is left alone before it is tried again, milliseconds; null: it is not. */
  readonly pauseMs: number | null;
  /** Age of the newest fragment and grey frame when asked, milliseconds. */
  readonly lastFragmentAgeMs: number | null;
  readonly lastFrameAgeMs: number | null;
  readonly recording: boolean;
  /** How long something has moved that no clip holds; null: nothing moves, it is recorded, or recording is paused. */
  readonly unrecordedMs: number | null;
  /** `quiet`: only key pictures of the sub stream are decoded; null: nobody watches. */
  readonly alertness: Alertness | null;
  /** Pictures of the sub stream that the present child gave to its decoder. */
  readonly decoded: number | null;
  /** Suppressed triggers since start, by reason. */
  readonly suppressed: SuppressionCounts;
}

/** @param beat what the running child said last; its ages have grown since
 *  @param nowMs monotonic */
export function cameraStatus(
  about: Pick<CameraStatus, 'cameraId' | 'title' | 'pid' | 'pauseMs' | 'suppressed'>,
  { state, sinceMs, detail }: CameraStanding,
  beat: HeardBeat | undefined,
  nowMs: number,
): CameraStatus {
  const sinceBeat = beat ? nowMs - beat.atMs : 0;
  const age = (then: number | null | undefined) => (then == null ? null : Math.round(then + sinceBeat));
  const { cameraId, title, pid, pauseMs, suppressed } = about;
  return {
    cameraId,
    title,
    state,
    sinceMs,
    detail,
    pid,
    pauseMs,
    lastFragmentAgeMs: age(beat?.lastFragmentAgeMs),
    lastFrameAgeMs: age(beat?.lastFrameAgeMs),
    recording: beat?.recording ?? false,
    unrecordedMs: beat?.unrecordedMs ?? null,
    alertness: beat?.alertness ?? null,
    decoded: beat?.decoded ?? null,
    suppressed,
  };
}

/** Counts of one child on top of those of the children before it. */
export function addCounts(before: SuppressionCounts, more: SuppressionCounts): SuppressionCounts {
  const sum: Record<string, number> = { ...before };
  for (const [reason, count] of Object.entries(more)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
