import { PortFailure } from './port-failure.ts';

/** As the agent's, with the cloud's failure: neither imports the other.
 *  The promise, or a transient failure when it takes longer than `ms`.
 *  @param what named in the error: "the hub's answer" */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  what: string,
  code: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new PortFailure('transient', code, `${what} took longer than ${ms} ms`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
