import { setTimeout as delay } from 'node:timers/promises';

/** Time, injected. */
export interface Clock {
  /** Wall time, Unix milliseconds. */
  nowMs(): number;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
};
