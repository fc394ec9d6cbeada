/** What to do about an error, not where it came from.
 *  transient: again, with backoff · rejected: the same bytes will never succeed, park them · exhausted: disk or
 *  quota, stop producing · corrupt: our own data fails its check, quarantine and report · bug: a broken
 *  invariant, log, exit, restart. */
export type FailureKind = 'transient' | 'rejected' | 'exhausted' | 'corrupt' | 'bug';

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  /** Stable and searchable, like `link.timeout`. */
  readonly code: string;
  /** For how long the other side asked to be left in peace; undefined when it did not. */
  readonly retryAfterMs: number | undefined;
  constructor(
    kind: FailureKind,
    code: string,
    message: string,
    options?: { cause?: unknown; retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.kind = kind;
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
