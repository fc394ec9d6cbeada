import type { Clock } from '../kernel/clock.ts';

const HOUR_MS = 3_600_000;

export interface News<S> {
  /** Looks at the state now. Tells it when it has held for the settling time, is not what was told last, and the
   *  hour's share is not spent; otherwise a later look does. The first state is told too: nobody knows what an
   *  earlier process told.
   *  @returns whether it was told */
  look(key: string, state: S): boolean;
  /** The same without the settling time, and without regard to the hour's share when `always`. */
  now(key: string, state: S, always?: boolean): boolean;
}

export interface NewsDeps<S> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** How long a state must hold. */
  readonly settleMs: number;
  /** Most tellings in any hour. */
  readonly perHour: number;
  /** @returns false when it could not be told and must be told again */
  readonly tell: (state: S) => boolean;
}

/** Tells changes of one subject without letting a flapping one flood the rest.
 *  Invariants
 *  1. What is told differs from what was told before, by `key`.
 *  2. A state that holds is told in the end, at most an hour after its share was spent. */
export function createNews<S>({ clock, settleMs, perHour, tell }: NewsDeps<S>): News<S> {
  let toldKey: string | undefined;
  let seenKey: string | undefined;
  let seenSinceMs = 0;
  let toldAt: number[] = [];

  function attempt(key: string, state: S, always: boolean): boolean {
    const nowMs = clock.monotonicMs();
    toldAt = toldAt.filter((at) => nowMs - at < HOUR_MS);
    if (key === toldKey || (toldAt.length >= perHour && !always)) return false;
    if (!tell(state)) return false;
    toldKey = key;
    toldAt = [...toldAt, nowMs].slice(-perHour);
    return true;
  }

  function see(key: string): void {
    if (key === seenKey) return;
    seenKey = key;
    seenSinceMs = clock.monotonicMs();
  }

  return {
    look(key, state) {
      see(key);
      return clock.monotonicMs() - seenSinceMs >= settleMs && attempt(key, state, false);
    },
    now(key, state, always = false) {
      see(key);
      return attempt(key, state, always);
    },
  };
}
