import type { Clock } from '../kernel/clock.ts';
import { sleepUnlessAborted } from '../kernel/sleep.ts';

/** Wakes whoever waits for something to do. A ring between two waits is not missed. */
export interface Bell {
  ring(): void;
  /** What to hand to `wait`: rings after this moment end the wait. */
  count(): number;
  /** Until the bell has rung since `heard`, `ms` have passed, or the signal is aborted. Never rejects. */
  wait(heard: number, ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(clock: Pick<Clock, 'sleep'>): Bell {
  let rings = 0;
  const waiting = new Set<AbortController>();
  return {
    ring() {
      rings++;
      for (const waiter of waiting) waiter.abort();
    },
    count: () => rings,
    async wait(heard, ms, signal) {
      if (rings !== heard || signal.aborted) return;
      const waiter = new AbortController();
      waiting.add(waiter);
      const either = AbortSignal.any([waiter.signal, signal]);
      try {
        await sleepUnlessAborted(clock, ms, either);
      } finally {
        waiting.delete(waiter);
      }
    },
  };
}
