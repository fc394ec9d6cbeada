import { Failure } from '../kernel/failure.ts';

/** The promise, unless whoever waits for it gives up first. What was begun goes on all the same.
 *  @throws Failure transient `capture.deadline` */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () =>
    reject(new Failure('transient', 'capture.deadline', `${what} took too long`, { cause: signal.reason }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
