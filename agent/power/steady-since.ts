import type { Clock } from '../kernel/clock.ts';

/** So far apart the clocks must be before the one that people read counts as set. */
const CLOCK_SET_MS = 1_000;

export interface SteadySince {
  /** What it is about begins now. */
  restart(): void;
  /** When it began, wall time, Unix milliseconds. */
  wallMs(): number;
}

/** Since when something has been so, for people.
 *  Wall time is only right after the clock was set; since when is known by the other clock. As long as the two go
 *  together it stays the same: what trembles by a millisecond would be news for the twin and the page. */
export function createSteadySince(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): SteadySince {
  let sinceMonotonicMs = clock.monotonicMs();
  let sinceMs = clock.nowMs();
  return {
    restart: () => {
      sinceMonotonicMs = clock.monotonicMs();
      sinceMs = clock.nowMs();
    },
    wallMs: () => {
      const byNow = clock.nowMs() - (clock.monotonicMs() - sinceMonotonicMs);
      if (Math.abs(byNow - sinceMs) >= CLOCK_SET_MS) sinceMs = Math.round(byNow);
      return sinceMs;
    },
  };
}
