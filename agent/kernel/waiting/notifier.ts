import type { Clock } from '../clock.ts';
import { sleepUnlessAborted } from './sleep.ts';

/** Wakes whoever waits for something to do. A notice between two waits is not missed. */
export interface Notifier {
  notify(): void;
  /** What to hand to `wait`: notices after this moment end the wait. */
  count(): number;
  /** Until somebody has notified since `heard`, `ms` have passed, or the signal is aborted. Never rejects. */
  wait(heard: number, ms: number, signal: AbortSignal): Promise<void>;
}

export function createNotifier(clock: Pick<Clock, 'sleep'>): Notifier {
  let count = 0;
  const waiting = new Set<AbortController>();
  return {
    notify() {
      count++;
      for (const waiter of waiting) waiter.abort();
    },
    count: () => count,
    async wait(heard, ms, signal) {
      if (count !== heard || signal.aborted) return;
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
