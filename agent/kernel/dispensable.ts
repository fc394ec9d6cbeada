import { backoffMs, type BackoffPolicy } from './backoff.ts';
import type { Clock } from './clock.ts';
import { Failure } from './failure.ts';
import type { Service } from './lifecycle.ts';
import type { Log } from './log.ts';
import { sleepUnlessAborted } from './sleep.ts';

export interface DispensableDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly retry?: BackoffPolicy;
}

const RETRY: BackoffPolicy = { minMs: 1_000, maxMs: 60_000 };

/** A service that the others can do without: when it cannot start that is logged, once, and it is tried again until
 *  it does. A `bug` is thrown as ever, by the first start. */
export function createDispensable(service: Service, { clock, log, retry = RETRY }: DispensableDeps): Service {
  const stopping = new AbortController();
  let isStarted = false;
  let trying: Promise<void> = Promise.resolve();

  /** The reason why it could not be started. */
  async function attempt(): Promise<Failure | undefined> {
    try {
      await service.start();
      isStarted = true;
      return undefined;
    } catch (error) {
      if (error instanceof Failure && error.kind !== 'bug') return error;
      throw error;
    }
  }

  async function tryAgain(): Promise<void> {
    for (
      let tries = 0;
      await sleepUnlessAborted(clock, backoffMs(retry, tries), stopping.signal);
      tries += 1
    ) {
      if (await attempt()) continue;
      log.info({ event: 'service.started-late', service: service.name }, `${service.name} has started now`);
      return;
    }
  }

  return {
    name: service.name,
    start: async () => {
      const failure = await attempt();
      if (!failure) return;
      log.error(
        { event: 'service.not-started', service: service.name, code: failure.code },
        `${service.name} does without for now: ${failure.message}`,
      );
      trying = tryAgain().catch((error: unknown) =>
        log.error({ event: 'service.given-up', service: service.name, err: error }, 'a service is given up'),
      );
    },
    stop: async () => {
      stopping.abort();
      await trying;
      if (isStarted) await service.stop();
    },
  };
}
