import type { Clock } from '../../agent/kernel/clock.ts';

export interface FakeClock extends Clock {
  /** Lets time pass; sleepers that are due wake in order, and get to run before later ones. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock only, as a time server does. Intervals do not notice. */
  setWall(ms: number): void;
  /** How many sleepers wait. */
  sleepers(): number;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time as a variable. Starts at 2026-06-01T12:00:00Z, monotonic 1,000 ms. */
export function createFakeClock(startMs = Date.UTC(2026, 5, 1, 12)): FakeClock {
  let monotonic = 1_000;
  let wallOffset = startMs - monotonic;
  const sleepers = new Set<Sleeper>();

  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const next = (untilMs: number) =>
    [...sleepers].filter((one) => one.dueMs <= untilMs).toSorted((a, b) => a.dueMs - b.dueMs)[0];

  return {
    nowMs: () => monotonic + wallOffset,
    monotonicMs: () => monotonic,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const abort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          dueMs: monotonic + Math.max(0, ms),
          wake: () => {
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        sleepers.add(sleeper);
      }),
    async advance(ms) {
      const untilMs = monotonic + ms;
      await settle();
      for (let sleeper = next(untilMs); sleeper; sleeper = next(untilMs)) {
        monotonic = Math.max(monotonic, sleeper.dueMs);
        sleepers.delete(sleeper);
        sleeper.wake();
        await settle();
      }
      monotonic = untilMs;
      await settle();
    },
    setWall(ms) {
      wallOffset = ms - monotonic;
    },
    sleepers: () => sleepers.size,
  };
}
