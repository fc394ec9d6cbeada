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
  constructor(kind: FailureKind, code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
    this.code = code;
  }
}
