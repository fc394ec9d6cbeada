import type { Clock } from '../../kernel/clock.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { GpioLine } from './gpio.ts';

/** A contact bounces for some milliseconds; a level counts when it has stood still for so long. */
export const SETTLE_MS = 50;
/** How often a line is looked at while something happens on it, and while nothing does. */
export const BUSY_MS = 20;
export const IDLE_MS = 1_000;

export interface InputDeps {
  readonly line: GpioLine;
  readonly clock: Clock;
  /** Called at each look with the settled level, the first time as soon as there is one, and the monotonic time since
   *  when it stands. */
  readonly look: (active: boolean, sinceMs: number, nowMs: number) => void;
  /** Whether to look often: somebody holds the button. */
  readonly busy: () => boolean;
}

/** Follows a line until the signal is aborted. Edges only say when to look; one that is lost is seen within `IDLE_MS`,
 *  and a wire that flickers without end costs one edge per `SETTLE_MS`.
 *  @throws what the line throws */
export async function followInput(
  { line, clock, look, busy }: InputDeps,
  signal: AbortSignal,
): Promise<void> {
  let seen = line.active();
  let seenSinceMs = clock.monotonicMs();
  let settled: boolean | null = null;
  let settledSinceMs = seenSinceMs;
  let restlessUntilMs = seenSinceMs + SETTLE_MS;
  while (!signal.aborted) {
    const nowMs = clock.monotonicMs();
    const active = line.active();
    if (active !== seen) {
      seen = active;
      seenSinceMs = nowMs;
      restlessUntilMs = nowMs + SETTLE_MS;
    }
    if (settled !== seen && nowMs - seenSinceMs >= SETTLE_MS) {
      settled = seen;
      settledSinceMs = seenSinceMs;
    }
    if (settled !== null) look(settled, settledSinceMs, nowMs);
    const restless = nowMs < restlessUntilMs || settled !== seen;
    if (restless || busy()) await sleepUnlessAborted(clock, BUSY_MS, signal);
    else if ((await edgeOrIdle(line, clock, signal)) === 'edge')
      restlessUntilMs = clock.monotonicMs() + SETTLE_MS;
  }
}

async function edgeOrIdle(line: GpioLine, clock: Clock, signal: AbortSignal): Promise<'edge' | 'idle'> {
  const waiting = new AbortController();
  const end = () => waiting.abort();
  signal.addEventListener('abort', end);
  try {
    const edge = line.edge(waiting.signal);
    const first = await Promise.race([
      edge.then(() => 'edge' as const),
      sleepUnlessAborted(clock, IDLE_MS, waiting.signal).then(() => 'idle' as const),
    ]);
    waiting.abort();
    await edge;
    return first;
  } finally {
    waiting.abort();
    signal.removeEventListener('abort', end);
  }
}
