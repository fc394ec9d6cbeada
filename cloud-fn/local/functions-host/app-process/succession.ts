import { setTimeout as delay } from 'node:timers/promises';
import { AppGone } from '../app-gone.ts';
import type { Log } from '../triggers/invoke.ts';
import type { Life } from './life.ts';

/** A process that lasted so long did not die of its start: the next one is started at once. */
const STEADY_MS = 10_000;
const AGAIN_MS = { first: 250, most: 10_000 };
/** How long a call waits for a process. */
const PATIENCE_MS = 60_000;

export interface SuccessionDeps {
  readonly first: Life;
  /** Starts another process; its failure is logged, and it is called again later. */
  readonly begin: () => Promise<Life>;
  readonly log: Log;
}

export type Succession = ReturnType<typeof createSuccession>;

/** One process after the other: whenever one ends, the next is started; sooner or later, by how long the last ones lived. */
export function createSuccession({ first, begin, log }: SuccessionDeps) {
  const stopping = new AbortController();
  let alive: Promise<Life> = Promise.resolve(first);

  /** @param failures of those before it, in a row */
  async function another(failures: number): Promise<Life> {
    for (let failed = failures; ; failed += 1) {
      const waitMs = failed === 0 ? 0 : Math.min(AGAIN_MS.first * 2 ** (failed - 1), AGAIN_MS.most);
      await delay(waitMs, undefined, { signal: stopping.signal });
      try {
        const life = await begin();
        watch(life, failed);
        return life;
      } catch (error) {
        log({ event: 'app.not-started', message: (error as Error).message });
      }
    }
  }
  function watch(life: Life, failures: number): void {
    const sinceMs = performance.now();
    log({ event: 'app.running', pid: life.pid });
    void life.ended.then((gone) => {
      if (stopping.signal.aborted) return;
      log({ event: 'app.ended', pid: life.pid, message: gone.message });
      alive = another(performance.now() - sinceMs > STEADY_MS ? 0 : failures + 1);
      alive.catch(() => undefined);
    });
  }
  watch(first, -1);

  return {
    /** Rejects with `AppGone` when there is none within a minute. */
    living: async (): Promise<Life> => {
      const patience = new AbortController();
      const waited = delay(PATIENCE_MS, undefined, { signal: patience.signal });
      waited.catch(() => undefined);
      try {
        const life = await Promise.race([alive, waited]);
        if (life === undefined) throw new AppGone('a start that fails again and again');
        return life;
      } finally {
        patience.abort();
      }
    },
    stop: async (): Promise<void> => {
      stopping.abort();
      await alive.then(
        (life) => life.end(),
        () => undefined,
      );
    },
  };
}
