import type { Clock } from './clock.ts';
import { PortFailure } from './port-failure.ts';

export interface TurnsOptions {
  readonly atOnce: number;
  readonly waitMs: number;
  /** What waits, for the error: "a notification". */
  readonly what: string;
  readonly code: string;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Lets `atOnce` pieces of work run; the others wait for their turn, each `waitMs` at most.
 *  @returns runs a piece of work; rejects with a transient `PortFailure` of this code when its turn did not come */
export function createTurns({ atOnce, waitMs, what, code, clock }: TurnsOptions) {
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
    const over = new AbortController();
    const late = clock.sleep(waitMs, over.signal).then(() => {
      throw new PortFailure('transient', code, `${what} waited longer than ${waitMs} ms for its turn`);
    });
    try {
      await Promise.race([turn.promise, late]);
    } catch (error) {
      waiting.delete(give);
      // Given in the very moment in which it was too late.
      if (isGiven) leave();
      throw error;
    } finally {
      over.abort();
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
