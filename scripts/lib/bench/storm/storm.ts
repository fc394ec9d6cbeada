/** `scripts/bench storm`: many clips at once through the functions app, while its processes are killed; and what became of
 *  each clip and of each person who was to be told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { provision } from '../../../../cloud-fn/local/storage/provision.ts';
import { productApp } from '../../../../test/engine/apps.ts';
import { type Azurite, startAzurite } from '../../../../test/engine/azurite.ts';
import { buildHost, CannotBuild } from '../../../../test/engine/build-host.ts';
import { type TcpProxy, startTcpProxy } from '../../../../test/engine/tcp-proxy.ts';
import { type Engine, startOurEngine, startRealEngine } from '../../../../test/engine/engines.ts';
import { startWebhook } from '../../../../test/engine/webhook.ts';
import { choice, flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { Refusal, Unable } from '../../command/ends.ts';
import { createRandom } from '../faults/random.ts';
import { announce, type StormClip, startAnswering, uploadClips } from './clips.ts';
import { decidedAfter, isSettled, lookAt, outcomeOf, type StormOutcome } from './outcome.ts';

/** A kill comes so long after the one before, drawn from the seed; storage goes away while the clips are new. */
const KILL_EVERY_MS = { least: 3_000, most: 7_000 };
const AWAY_AFTER_MS = { least: 200, most: 4_000 };
const KILLS_MAX = 12;
/** How long storage is away, and how often at most. */
const AWAY_MS = 30_000;
const AWAY_MAX = 2;
/** Messages that a killed engine had taken stay hidden for ten minutes. */
const WITHIN_MS = 15 * 60_000;
const LOOK_EVERY_MS = 2_000;
/** What our host logs when the process of the app is gone. */
const APP_ENDED = '"app.ended"';

export interface StormOptions {
  readonly clips: number;
  readonly engine: 'real' | 'ours';
  readonly kill: 'worker' | 'engine' | 'storage' | undefined;
  readonly seed: number;
  /** On our own host: the seed of what it does to the app. */
  readonly hostile: number | undefined;
}

/** @returns exit code: 1 when a clip or a person was not done right by */
export async function benchStorm(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { json, ...options } = readOptions(args);
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await storm(options, tell, signal);
  process.stdout.write(json ? `${JSON.stringify({ ...options, ...outcome })}\n` : table(outcome));
  const wrong = outcome.noVerdict + outcome.falselyNotified + outcome.untold + outcome.toldTwice;
  return outcome.right === options.clips && wrong === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]): StormOptions & { readonly json: boolean } {
  const { values, words } = readArguments('scripts/bench', args, {
    clips: whole(1, 999),
    engine: choice(['real', 'ours']),
    kill: choice(['worker', 'engine', 'storage']),
    seed: whole(1, 2 ** 31),
    hostile: whole(1, 2 ** 31),
    json: flag,
  });
  requireNoWords(words);
  const { clips = 100, engine = 'ours', kill, seed = 1, hostile, json } = values;
  if (hostile !== undefined && engine === 'real')
    throw new Refusal('--hostile has no effect with --engine real: only our own host does harm on purpose');
  return { clips, engine, kill, seed, hostile, json };
}

export async function storm(
  { clips: count, engine: kind, kill, seed, hostile }: StormOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<StormOutcome> {
  const program = kind === 'real' ? realProgram(tell) : '';
  const dir = mkdtempSync(join(tmpdir(), 'bench-storm-'));
  const webhook = await startWebhook();
  const azurite = await startAzurite(dir, [kind]);
  // The storm itself looks past the proxy through which the app finds storage.
  const storage = azurite.accounts[kind] ?? '';
  const proxy = await proxiesTo(azurite, kind);
  let engine: Engine | undefined;
  let answering: ReturnType<typeof startAnswering> | undefined;
  try {
    await provision(storage);
    const app = productApp({ storage: proxy.storage, dir, webhook: webhook.address });
    let deaths = 0;
    const log = (text: string) => {
      deaths += text.split(APP_ENDED).length - 1;
    };
    const deps = { name: kind, app, dir, storage: proxy.storage, log };
    engine = await (kind === 'real'
      ? startRealEngine(deps, program)
      : startOurEngine({ ...deps, appProcess: true, hostile }));
    const random = createRandom(seed);
    answering = startAnswering(storage, random);
    const clips = await uploadClips(proxy.storage, count);
    const startedMs = performance.now();
    const startedUtcMs = Date.now();
    const over = () => everyoneIsDone(storage, clips);
    const [kills] = await Promise.all([
      kill === undefined
        ? 0
        : troubleAgainAndAgain(kindOfTrouble(kill, engine, proxy), seed, over, tell, signal),
      announce(engine, clips, random, signal),
    ]);
    for (const endMs = performance.now() + WITHIN_MS; performance.now() < endMs; await delay(LOOK_EVERY_MS)) {
      signal.throwIfAborted();
      const now = await lookAt(storage, clips);
      tell(`${now.verdicts.size} of ${count} clips have a verdict, ${now.open} are open`);
      if (isSettled(clips, now)) break;
    }
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return outcomeOf(clips, await lookAt(storage, clips), webhook, {
      kills,
      deaths,
      seconds,
      asked: answering.asked(),
      ...decidedAfter(clips, await lookAt(storage, clips), startedUtcMs),
    });
  } finally {
    await answering?.stop();
    await proxy.open();
    await engine?.stop();
    await proxy.stop();
    await azurite.stop();
    await webhook.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All services of storage behind proxies, which are shut and opened together. */
async function proxiesTo(azurite: Azurite, account: string) {
  let storage = azurite.accounts[account] ?? '';
  const proxies: TcpProxy[] = [];
  for (const [, port = ''] of storage.matchAll(/Endpoint=http:\/\/127\.0\.0\.1:(\d+)\//g)) {
    const proxy = await startTcpProxy(Number(port));
    proxies.push(proxy);
    storage = storage.replace(`127.0.0.1:${port}/`, `127.0.0.1:${proxy.port}/`);
  }
  const all = async (what: (proxy: TcpProxy) => Promise<void>) => void (await Promise.all(proxies.map(what)));
  return {
    storage,
    shut: () => all((proxy) => proxy.shut()),
    open: () => all((proxy) => proxy.open()),
    stop: () => all((proxy) => proxy.stop()),
  };
}

function realProgram(tell: (sentence: string) => void): string {
  try {
    return buildHost((text) => tell(text.trimEnd()));
  } catch (error) {
    if (error instanceof CannotBuild) throw new Unable(error.message);
    throw error;
  }
}

const everyoneIsDone = async (storage: string, clips: readonly StormClip[]) =>
  isSettled(clips, await lookAt(storage, clips));

interface Trouble {
  readonly afterMs: { readonly least: number; readonly most: number };
  readonly times: number;
  /** One sentence. */
  make(signal: AbortSignal): Promise<string>;
}

function kindOfTrouble(
  what: NonNullable<StormOptions['kill']>,
  engine: Engine,
  proxy: Pick<TcpProxy, 'shut' | 'open'>,
): Trouble {
  if (what === 'storage')
    return {
      afterMs: AWAY_AFTER_MS,
      times: AWAY_MAX,
      make: async (signal) => {
        await proxy.shut();
        try {
          await delay(AWAY_MS, undefined, { signal });
        } finally {
          await proxy.open();
        }
        return `storage was away for ${AWAY_MS / 1000} s`;
      },
    };
  return {
    afterMs: KILL_EVERY_MS,
    times: KILLS_MAX,
    make: async () => {
      await engine.kill?.(what);
      return `killed the ${what}`;
    },
  };
}

/** @returns how often it made trouble */
async function troubleAgainAndAgain(
  trouble: Trouble,
  seed: number,
  isOver: () => Promise<boolean>,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const random = createRandom(seed);
  for (let times = 0; times < trouble.times; times += 1) {
    await delay(random.between(trouble.afterMs.least, trouble.afterMs.most), undefined, { signal });
    if (await isOver()) return times;
    tell(await trouble.make(signal));
  }
  return trouble.times;
}

const table = (outcome: StormOutcome) =>
  Object.entries(outcome)
    .map(
      ([name, value]) => `${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : value}\n`,
    )
    .join('');
