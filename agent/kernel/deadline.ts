import { Failure } from './failure.ts';

/** The promise, or a transient `Failure` when it takes longer than `ms`.
 *  @param what named in the error: "twin read"
 *  @param code stable code of the failure, like `hub.deadline` */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  what: string,
  code: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure('transient', code, `${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
