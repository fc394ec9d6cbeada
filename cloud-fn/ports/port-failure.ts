/** The agent's `Failure` has five kinds, for a program that owns a disk and its own data; a port of the cloud only asks
 *  whether the host shall try again. They are two because agent and cloud never import each other, and contracts hold
 *  what crosses between them, which no error does.
 *  What to do about a failed call: `transient` again, with backoff; `rejected` never again with the same bytes. */
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
