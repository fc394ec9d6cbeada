import { type Clock, systemClock } from '../clock.ts';
import { Failure } from '../failure.ts';

/** The promise's outcome, or that of `late` after `ms` of the clock. What was begun goes on all the same; what comes of
 *  it later is ignored, errors too.
 *  @param signal ends the waiting, with its reason */
export async function within<T>(
  clock: Pick<Clock, 'sleep'>,
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

/** The promise, or a transient `Failure` when it takes longer than `ms` of real time.
 *  @param what named in the error: "twin read"
 *  @param code stable code of the failure, like `hub.deadline` */
export const withDeadline = <T>(promise: Promise<T>, ms: number, what: string, code: string): Promise<T> =>
  within(systemClock, promise, ms, () => {
    throw new Failure('transient', code, `${what} took longer than ${ms} ms`);
  });

/** The promise, unless whoever waits for it gives up first. What was begun goes on all the same.
 *  @param errorOf what is thrown then; default: the signal's reason */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  errorOf: (reason: unknown) => unknown = (reason) => reason,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(errorOf(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
