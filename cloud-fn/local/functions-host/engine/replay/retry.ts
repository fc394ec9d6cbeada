import type { RetryOptions } from '../wire.ts';

/** When a call that has failed is tried again.
 *  @param attempt number of the attempt that has failed, from 1
 *  @param sinceFirstMs time since the first attempt was started
 *  @returns undefined: no more */
export function retryDelayMs(
  options: RetryOptions,
  attempt: number,
  sinceFirstMs: number,
): number | undefined {
  const { retryTimeoutInMilliseconds: timeoutMs } = options;
  if (timeoutMs !== undefined && sinceFirstMs >= timeoutMs) return undefined;
  return Math.min(
    options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (attempt - 1),
    options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER,
  );
}
