import { setTimeout as delay } from 'node:timers/promises';
import { AppGone } from '../app-gone.ts';
import type { AppElsewhere } from '../functions-host.ts';
import type { Invoke, Log } from '../triggers/invoke.ts';
import { beginLife, type Life } from './life.ts';

/** A process that lasted so long did not die of its start: the next one is started at once. */
const STEADY_MS = 10_000;
const AGAIN_MS = { first: 250, most: 10_000 };
/** How long a call waits for a process. */
const PATIENCE_MS = 60_000;
const LAST_WORDS_MS = 5_000;
/** A doomed call is given at most so long. */
const DOOMED_MS = 100;

export interface AppProcessDeps {
  /** Absolute path of the app's entry. */
  readonly appFile: string;
  /** The environment of each process; `WEBSITE_HOSTNAME` is read from it when the app is told that it has started. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

export interface AppProcess extends AppElsewhere {
  /** Dooms the next call: its process dies during it, so far into it (0 to 1), and nobody hears its answer. */
  readonly killApp: (after: number) => void;
  readonly stop: () => Promise<void>;
}

/** Runs the app in a process of its own, as the real host does, and starts another whenever that one ends.
 *
 *  Invariants
 *  1. A call whose process ends rejects with `AppGone`; what was never answered is not made again here.
 *  2. A call made while there is no process waits for one, a minute at most.
 *  3. A function that takes longer than allowed fails, and its process is replaced: that is the only way to stop it.
 *  @throws Error when the app cannot be loaded the first time */
export async function startAppProcess(deps: AppProcessDeps): Promise<AppProcess> {
  const { appFile, env, log } = deps;
  const stopping = new AbortController();
  const first = await beginLife(appFile, env);
  let alive: Promise<Life> = Promise.resolve(first);
  let isStarted = false;
  let doomed: number | undefined;

  const tellStarted = (life: Life) => life.ask({ what: 'started', hostName: env['WEBSITE_HOSTNAME'] });

  async function ready(): Promise<Life> {
    const life = await beginLife(appFile, env);
    try {
      if (isStarted) await tellStarted(life);
      return life;
    } catch (error) {
      life.kill();
      throw error;
    }
  }
  /** @param deaths of those before it that died soon after their start */
  async function another(deaths: number): Promise<Life> {
    for (let failures = deaths; ; failures += 1) {
      const waitMs = failures === 0 ? 0 : Math.min(AGAIN_MS.first * 2 ** (failures - 1), AGAIN_MS.most);
      await delay(waitMs, undefined, { signal: stopping.signal });
      try {
        const life = await ready();
        watch(life, failures);
        return life;
      } catch (error) {
        log({ event: 'app.not-started', message: (error as Error).message });
      }
    }
  }
  function watch(life: Life, deaths: number): void {
    const sinceMs = performance.now();
    log({ event: 'app.running', pid: life.pid });
    void life.ended.then((gone) => {
      if (stopping.signal.aborted) return;
      log({ event: 'app.ended', pid: life.pid, message: gone.message });
      alive = another(performance.now() - sinceMs > STEADY_MS ? 0 : deaths + 1);
      alive.catch(() => undefined);
    });
  }
  watch(first, -1);

  async function living(): Promise<Life> {
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
  }

  const createInvoker: AppElsewhere['createInvoker'] = ({ durableClient, timeoutMs }) => {
    const invoke: Invoke = async (target, invocation) => {
      const diesAfter = doomed;
      doomed = undefined;
      const life = await living();
      const answer = life.ask({
        what: 'invoke',
        name: target.name,
        invocation,
        durableClient: durableClient(),
      });
      if (diesAfter !== undefined) return dying(life, answer, diesAfter * DOOMED_MS);
      return timeoutMs === undefined ? answer : inTime(life, answer, target.name, timeoutMs);
    };
    return {
      invoke,
      appStarted: async () => {
        isStarted = true;
        await tellStarted(await living());
      },
      appTerminating: async () => {
        const words = new AbortController();
        try {
          await Promise.race([
            alive.then((life) => life.ask({ what: 'terminating' })),
            delay(LAST_WORDS_MS, undefined, { signal: words.signal }),
          ]);
        } catch (error) {
          // It has ended already.
          if (!(error instanceof AppGone)) throw error;
        } finally {
          words.abort();
        }
      },
    };
  };

  return {
    functions: new Map(first.functions.map((metadata) => [metadata.name, { metadata }])),
    createInvoker,
    killApp: (after) => {
      doomed ??= after;
    },
    stop: async () => {
      stopping.abort();
      await alive.then(
        (life) => life.end(),
        () => undefined,
      );
    },
  };
}

/** The process dies during the call; had the call an answer by then, nobody hears it. */
async function dying(life: Life, answer: Promise<unknown>, afterMs: number): Promise<never> {
  answer.catch(() => undefined);
  const waiting = new AbortController();
  await Promise.race([life.ended, delay(afterMs, undefined, { signal: waiting.signal })]);
  waiting.abort();
  life.kill();
  throw await life.ended;
}

async function inTime<T>(life: Life, answer: Promise<T>, name: string, timeoutMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`Timeout value of ${timeoutMs / 1000} s exceeded by function: ${name}`));
    life.kill();
  }, timeoutMs);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
