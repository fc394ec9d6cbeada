import { Failure } from './failure.ts';

/** What somebody says; null when it says that it cannot now. For readers that must go on without: a ledger that does
 *  not answer is a condition of its own, told by whoever opens it.
 *  @throws a `bug`, and what is no Failure */
export function ifAnswers<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Failure && error.kind !== 'bug') return null;
    throw error;
  }
}
