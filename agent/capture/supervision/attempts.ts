import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { Absence } from '../stream-error.ts';
import type { ChildEnd } from './camera-child.ts';
import type { Unwatchable } from './camera-probe.ts';

export interface Attempts {
  start(): void;
  /** The next attempt begins at once: what is asked now is given up, what runs is told to end. */
  renew(): void;
  /** Likewise, and no attempt follows. Resolves when the last one is over. */
  stop(): Promise<void>;
  /** How long the camera is left alone yet, milliseconds; null: it is not. */
  pauseMs(): number | null;
}

export interface AttemptsDeps {
  /** The first attempt waits for it. */
  readonly after: Promise<void>;
  /** No child runs before it settles; the camera is asked meanwhile. Never rejects. */
  readonly ready?: Promise<void>;
  readonly clock: Clock;
  readonly backoff: BackoffPolicy;
  begins(): void;
  /** Never rejects. */
  ask(signal: AbortSignal): Promise<Unwatchable | undefined>;
  /** Runs one child from fork to exit. */
  runChild(): Promise<ChildEnd>;
  /** Tells a child that runs to end. */
  endChild(): void;
  /** A child made way for another connection. */
  renewed(): void;
  /** @param absence what the camera is; undefined: it may be well, and what watched it ended */
  failed(why: string, absence: Absence | undefined): void;
  stopped(): void;
}

/** A child that was live this long has proved the camera: the next failure starts the backoff anew. */
const PROVEN_MS = 30_000;

/** Attempts to watch one camera, one after the other.
 *  Invariants
 *  1. A child runs only after the camera was asked; an unwatchable one is left alone for as long as the probe says.
 *  2. Failures in a row wait longer each time, until a child has proved the camera or there is another connection. */
export function createAttempts(deps: AttemptsDeps): Attempts {
  const { clock } = deps;
  const stopping = new AbortController();
  /** The running child was told to end because the next one shall have another connection. */
  let renewing = false;
  /** Ends the question to the camera, and the wait between two children. */
  let waiting: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  /** Monotonic. */
  let pausedUntilMs: number | undefined;

  async function run(): Promise<void> {
    await deps.after;
    let failures = 0;
    while (!stopping.signal.aborted) {
      renewing = false;
      deps.begins();
      waiting = new AbortController();
      const unwatchable = await deps.ask(waiting.signal);
      if (!unwatchable) await deps.ready;
      // Told to end, or to connect otherwise, while it was asked.
      if (waiting.signal.aborted) continue;
      const end = unwatchable
        ? { liveMs: 0, why: unwatchable.detail, absence: unwatchable.absence, waitMs: unwatchable.waitMs }
        : await deps.runChild();
      if (stopping.signal.aborted) break;
      if (renewing) {
        failures = 0;
        deps.renewed();
        continue;
      }
      deps.failed(end.why, end.absence);
      if (end.liveMs >= PROVEN_MS) failures = 0;
      waiting = new AbortController();
      const pauseMs = end.waitMs ?? backoffMs(deps.backoff, failures++);
      pausedUntilMs = clock.monotonicMs() + pauseMs;
      await sleepUnlessAborted(clock, pauseMs, waiting.signal);
      pausedUntilMs = undefined;
      if (renewing) failures = 0;
    }
    deps.stopped();
  }

  function interrupt(): void {
    waiting?.abort();
    deps.endChild();
  }

  return {
    start: () => {
      running = run();
    },
    renew: () => {
      renewing = true;
      interrupt();
    },
    stop: async () => {
      stopping.abort();
      interrupt();
      await running;
    },
    pauseMs: () => (pausedUntilMs === undefined ? null : Math.max(0, pausedUntilMs - clock.monotonicMs())),
  };
}
