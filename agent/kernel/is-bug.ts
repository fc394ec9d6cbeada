import { classify } from './classify.ts';
import { Failure } from './failure.ts';

/** Whether an error tells of a mistake in the program: a `bug`, or anything else than an error of the system, of
 *  SQLite, of HTTP, or an abort. */
export function isBug(error: unknown): boolean {
  if (error instanceof Failure) return error.kind === 'bug';
  const isOfSystem = typeof (error as NodeJS.ErrnoException | null | undefined)?.errno === 'number';
  if (isOfSystem) return false;
  const { kind, code } = classify(error, 'error');
  return kind === 'bug' || code === 'error.unknown';
}
