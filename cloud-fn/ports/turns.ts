import { withDeadline } from './deadline.ts';

/** Lets so many pieces of work run at once; the others wait for their turn, each `waitMs` at most.
 *  @returns runs a piece of work; rejects with a transient `PortFailure` of this code when its turn did not come */
export function createTurns(atOnce: number, waitMs: number, what: string, code: string) {
  const waiting = new Set<() => void>();
  let running = 0;

  async function enter(): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    let isGiven = false;
    const give = () => {
      isGiven = true;
      turn.resolve();
    };
    waiting.add(give);
    try {
      await withDeadline(turn.promise, waitMs, what, code);
    } catch (error) {
      waiting.delete(give);
      // Given in the very moment in which it was too late.
      if (isGiven) leave();
      throw error;
    }
  }

  /** The place goes to who waits longest, if anybody does. */
  function leave(): void {
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      next();
    } else running -= 1;
  }

  return async <T>(work: () => Promise<T>): Promise<T> => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
