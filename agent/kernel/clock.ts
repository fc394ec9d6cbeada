import { setTimeout as delay } from 'node:timers/promises';

/** Time, injected. Intervals use `monotonicMs`; `nowMs` is only for people and for names. */
export interface Clock {
  /** Wall time, Unix milliseconds. May jump. */
  nowMs(): number;
  /** Milliseconds since some moment in the past. Never jumps, never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
};
