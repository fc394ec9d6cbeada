import { backoffMs, type BackoffPolicy } from '../waiting/backoff.ts';
import { classify } from '../classify.ts';
import type { Clock } from '../clock.ts';
import type { Conditions } from '../conditions.ts';
import type { Service } from './lifecycle.ts';
import type { Log } from '../log.ts';
import { sleepUnlessAborted } from '../waiting/sleep.ts';

export interface OptionalServiceDeps {
  readonly clock: Clock;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly log: Log;
  readonly retry?: BackoffPolicy;
  /** How long a start may hold up the services behind it, milliseconds. */
  readonly startMs?: number;
}

const RETRY: BackoffPolicy = { minMs: 1_000, maxMs: 60_000 };
const START_MS = 5_000;

/** A service that the others can do without.
 *  Invariants
 *  1. Whatever its start does, throw or hang, `start` returns within `startMs` and throws nothing.
 *  2. While it is not started, condition `room-failed` says so; it is tried again, with backoff, until it is.
 *  3. One start at a time. A bug is no exception: a process that ends for it would meet it again at its next start,
 *     and the services that work would be off. */
export function createOptionalService(service: Service, deps: OptionalServiceDeps): Service {
  const { clock, conditions, log, retry = RETRY, startMs = START_MS } = deps;
  const { name } = service;
  const stopping = new AbortController();
  /** Aborted when the first try is over. */
  const tried = new AbortController();
  let isStarted = false;
  let trying: Promise<void> = Promise.resolve();

  /** @returns the sentence that says why it could not be started */
  async function attempt(isFirst: boolean): Promise<string | undefined> {
    try {
      await service.start();
      isStarted = true;
      return undefined;
    } catch (error) {
      const { code, message } = classify(error, `${name}.start`);
      const why = `"${name}" cannot start: ${message}`;
      if (isFirst)
        log.error({ event: 'service.not-started', service: name, code, err: error }, `${why}; tried again`);
      return why;
    }
  }

  async function tryUntilStarted(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const why = await attempt(tries === 0);
      if (why === undefined) break;
      conditions.raise('room-failed', why, name);
      tried.abort();
      if (!(await sleepUnlessAborted(clock, backoffMs(retry, tries), stopping.signal))) return;
    }
    conditions.clear('room-failed', name);
    if (tried.signal.aborted)
      log.info({ event: 'service.started-late', service: name }, `${name} has started now`);
    tried.abort();
  }

  return {
    name,
    start: async () => {
      trying = tryUntilStarted();
      if (!(await sleepUnlessAborted(clock, startMs, tried.signal))) return;
      const why = `"${name}" has not started within ${startMs} ms; the others go on without it`;
      log.error({ event: 'service.start-late', service: name }, why);
      conditions.raise('room-failed', why, name);
      tried.abort();
    },
    stop: async () => {
      stopping.abort();
      await trying;
      if (isStarted) await service.stop();
    },
  };
}
