/** What to do about a failed call: `transient` again, with backoff; `rejected` never again with the same bytes. */
export class PortFailure extends Error {
  override readonly name = 'PortFailure';
  readonly kind: 'transient' | 'rejected';
  /** Stable and searchable, like `webhook.http-500`. */
  readonly code: string;
  constructor(kind: PortFailure['kind'], code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
    this.code = code;
  }
}
