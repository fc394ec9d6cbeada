import type { Log } from '../log.ts';

/** Something with a life. Construction does nothing visible; `start` and `stop` do. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  /** Stops orderly. Called once, also after a failed start of a later service. */
  stop(): Promise<void>;
}

/** Starts services in order; stops them in reverse, each with a deadline, whatever the others do. */
export function createLifecycle(
  services: readonly Service[],
  { log, stopDeadlineMs }: { log: Log; stopDeadlineMs: number },
) {
  const started: Service[] = [];

  async function stop(): Promise<void> {
    for (let service = started.pop(); service; service = started.pop()) {
      const timeout = new Promise<'late'>((resolve) =>
        setTimeout(() => resolve('late'), stopDeadlineMs).unref(),
      );
      try {
        const outcome = await Promise.race([service.stop(), timeout]);
        if (outcome === 'late')
          log.error({ event: 'service.stop-late', service: service.name }, 'service did not stop in time');
      } catch (error) {
        log.error(
          { event: 'service.stop-failed', service: service.name, err: error },
          'service failed to stop',
        );
      }
    }
  }

  async function start(): Promise<void> {
    for (const service of services) {
      try {
        await service.start();
        started.push(service);
      } catch (error) {
        await stop();
        throw error;
      }
    }
  }

  return { start, stop };
}
