import type { Clock } from '../kernel/clock.ts';

/** The promise's outcome, or `late` after `ms` of the injected clock. What comes later is ignored, errors too.
 *  @param signal ends the waiting, with its reason */
export async function within<T>(
  clock: Clock,
  promise: Promise<T>,
  ms: number,
  late: () => T,
  signal?: AbortSignal,
): Promise<T> {
  const done = new AbortController();
  const either = signal ? AbortSignal.any([done.signal, signal]) : done.signal;
  const timeout = clock.sleep(ms, either).then(late);
  // When the promise wins, the sleeper is aborted, and nobody waits for its rejection.
  timeout.catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    done.abort();
  }
}
