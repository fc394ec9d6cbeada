import { Failure } from '../kernel/failure.ts';

/** What those get who gave up waiting for a camera: a transient `capture.deadline`. */
export const tookTooLong =
  (what: string) =>
  (cause: unknown): Failure =>
    new Failure('transient', 'capture.deadline', `${what} took too long`, { cause });
