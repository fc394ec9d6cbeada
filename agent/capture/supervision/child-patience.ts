import type { Clock } from '../../kernel/clock.ts';
import type { CaptureTimings, FromChild } from '../messages.ts';

export type Heartbeat = Extract<FromChild, { type: 'heartbeat' }>;

/** What a child said of itself, and when: monotonic, milliseconds. */
export interface HeardBeat extends Heartbeat {
  readonly atMs: number;
}

export interface ChildPatience {
  heard(beat: Heartbeat): void;
  /** The newest. */
  beat(): HeardBeat | undefined;
  /** It was told to end, or said that it does: from now on it has `stopMs` for it. */
  mustEnd(): void;
  /** It has been silent for so long that its camera counts as stalled. */
  isStalled(): boolean;
  /** It is to be killed. */
  isSpent(): boolean;
  /** How long it has been live without a word to the contrary of its end, milliseconds; 0: never. */
  liveMs(): number;
}

/** Both streams bring something new. */
export const isLive = (
  { lastFragmentAgeMs, lastFrameAgeMs }: Heartbeat,
  { stalledMs }: Pick<CaptureTimings, 'stalledMs'>,
): boolean =>
  lastFragmentAgeMs !== null &&
  lastFrameAgeMs !== null &&
  Math.max(lastFragmentAgeMs, lastFrameAgeMs) < stalledMs;

/** How long one child is waited for, from its fork on.
 *  Invariant: a silent camera counts as much as a silent child. */
export function createChildPatience(deps: {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly timings: CaptureTimings;
}): ChildPatience {
  const { clock, timings } = deps;
  const forkedMs = clock.monotonicMs();
  let newest: HeardBeat | undefined;
  let endByMs: number | undefined;
  let liveSinceMs: number | undefined;

  /** How long nothing came from the camera, the child's own silence included. */
  function silentMs(): number {
    const now = clock.monotonicMs();
    return newest ? now - newest.atMs + newest.silentMs : now - forkedMs;
  }

  return {
    heard: (beat) => {
      newest = { ...beat, atMs: clock.monotonicMs() };
      if (isLive(beat, timings)) liveSinceMs ??= newest.atMs;
    },
    beat: () => newest,
    mustEnd: () => {
      endByMs ??= clock.monotonicMs() + timings.stopMs;
    },
    isStalled: () => silentMs() >= timings.stalledMs,
    isSpent: () => {
      const patienceMs = newest ? timings.killMs : timings.connectMs + timings.killMs;
      return silentMs() >= patienceMs || (endByMs !== undefined && clock.monotonicMs() >= endByMs);
    },
    liveMs: () => (liveSinceMs === undefined ? 0 : clock.monotonicMs() - liveSinceMs),
  };
}
