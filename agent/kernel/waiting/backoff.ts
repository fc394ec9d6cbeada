export interface BackoffPolicy {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Exponential backoff with jitter: `min * 2^attempt`, at most `max`, times 0.5 to 1.5.
 *  @param attempt 0 for the first retry */
export function backoffMs(
  policy: BackoffPolicy,
  attempt: number,
  random: () => number = Math.random,
): number {
  const base = Math.min(policy.maxMs, policy.minMs * 2 ** Math.min(attempt, 30));
  return Math.round(base * (0.5 + random()));
}
