import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';

const TICK_MS = 1_000;
/** Near the end, and while switching off, where seconds count. */
const QUICK_TICK_MS = 500;
/** A moment stands for at most this long: a process that was stopped has seen nothing meanwhile. */
const LONGEST_MOMENT_MS = 3_000;

/** Judges the power again and again until the signal ends it. A judgement that fails is logged once, until one
 *  succeeds: the appliance guards on without power management rather than not at all. */
export async function runTicks({
  tick,
  isUrgent,
  clock,
  log,
  signal,
}: {
  /** @param momentMs how long it stands for */
  readonly tick: (momentMs: number) => Promise<void>;
  readonly isUrgent: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  let lastMs = clock.monotonicMs();
  let hasFailed = false;
  for (;;) {
    const nowMs = clock.monotonicMs();
    const momentMs = Math.min(nowMs - lastMs, LONGEST_MOMENT_MS);
    lastMs = nowMs;
    try {
      await tick(momentMs);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) log.error({ event: 'power.tick-failed', err: error }, 'the power could not be judged');
      hasFailed = true;
    }
    if (!(await sleepUnlessAborted(clock, isUrgent() ? QUICK_TICK_MS : TICK_MS, signal))) return;
  }
}
