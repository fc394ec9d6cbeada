import { setTimeout as delay } from 'node:timers/promises';
import { AppGone } from '../app-gone.ts';
import type { AppElsewhere } from '../functions-host.ts';
import type { Invoke, Log } from '../triggers/invoke.ts';
import { beginLife, type Life } from './life.ts';
import { createSuccession } from './succession.ts';

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
export async function startAppProcess({ appFile, env, log }: AppProcessDeps): Promise<AppProcess> {
  let isStarted = false;
  let doomed: number | undefined;
  const tellStarted = (life: Life) => life.ask({ what: 'started', hostName: env['WEBSITE_HOSTNAME'] });
  const begin = async (): Promise<Life> => {
    const life = await beginLife(appFile, env);
    try {
      if (isStarted) await tellStarted(life);
      return life;
    } catch (error) {
      life.kill();
      throw error;
    }
  };
  const first = await begin();
  const { living, stop } = createSuccession({ first, begin, log });

  const createInvoker: AppElsewhere['createInvoker'] = ({ durableClient, timeoutMs }) => {
    const invoke: Invoke = async (target, invocation) => {
      const diesAfter = doomed;
      doomed = undefined;
      const life = await living();
      const { name } = target;
      const answer = life.ask({ what: 'invoke', name, invocation, durableClient: durableClient() });
      if (diesAfter !== undefined) return dying(life, answer, diesAfter * DOOMED_MS);
      return timeoutMs === undefined ? answer : inTime(life, answer, name, timeoutMs);
    };
    return {
      invoke,
      appStarted: async () => {
        isStarted = true;
        await tellStarted(await living());
      },
      appTerminating: () => lastWords(living()),
    };
  };

  return {
    functions: new Map(first.functions.map((metadata) => [metadata.name, { metadata }])),
    createInvoker,
    killApp: (after) => {
      doomed ??= after;
    },
    stop,
  };
}

/** Tells the app that the host ends, and gives it five seconds. */
async function lastWords(living: Promise<Life>): Promise<void> {
  const said = new AbortController();
  try {
    await Promise.race([
      living.then((life) => life.ask({ what: 'terminating' })),
      delay(LAST_WORDS_MS, undefined, { signal: said.signal }),
    ]);
  } catch (error) {
    // It has ended already.
    if (!(error instanceof AppGone)) throw error;
  } finally {
    said.abort();
  }
}

/** The process dies during the call; had the call an answer by then, nobody hears it. */
async function dying(life: Life, answer: Promise<unknown>, afterMs: number): Promise<never> {
  answer.catch(() => undefined);
  const waiting = new AbortController();
  await Promise.race([life.ended, delay(afterMs, undefined, { signal: waiting.signal })]).finally(() =>
    waiting.abort(),
  );
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
