import type { HostClock } from '../../../cloud-fn/local/functions-host/clock.ts';

/** Time that passes only when a test says so. */
export function createVirtualHostClock(startMs: number) {
  let nowMs = startMs;
  const sleepers = new Set<{ atMs: number; wake: () => void }>();
  const clock: HostClock = {
    nowMs: () => nowMs,
    wakeAt: (atMs, wake) => {
      const sleeper = { atMs, wake };
      sleepers.add(sleeper);
      return () => sleepers.delete(sleeper);
    },
  };
  return {
    clock,
    /** Lets `ms` pass, stopping at every wake-up on the way until `settle` has resolved. */
    advance: async (ms: number, settle: () => Promise<void>) => {
      const end = nowMs + ms;
      await settle();
      for (;;) {
        const next = [...sleepers].sort((one, other) => one.atMs - other.atMs)[0];
        if (next === undefined || next.atMs > end) break;
        sleepers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.wake();
        await settle();
      }
      nowMs = end;
    },
  };
}
