/** `scripts/bench storm`: many clips at once through the functions app, while its processes are killed; and what became of
 *  each clip and of each person who was to be told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { provision } from '../../../../cloud-fn/local/storage/provision.ts';
import { productApp } from '../../../../test/engine/apps.ts';
import { startAzurite } from '../../../../test/engine/azurite.ts';
import { buildHost, CannotBuild } from '../../../../test/engine/build-host.ts';
import { type Engine, startOurEngine, startRealEngine } from '../../../../test/engine/engines.ts';
import { startWebhook } from '../../../../test/engine/webhook.ts';
import { choice, flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { Unable } from '../../command/ends.ts';
import { createRandom } from '../faults/random.ts';
import { announce, type StormClip, startAnswering, uploadClips } from './clips.ts';
import { isSettled, lookAt, outcomeOf, type StormOutcome } from './outcome.ts';

/** A kill comes so long after the one before, drawn from the seed. */
const KILL_EVERY_MS = { least: 3_000, most: 7_000 };
const KILLS_MAX = 12;
/** Messages that a killed engine had taken stay hidden for ten minutes. */
const WITHIN_MS = 15 * 60_000;
const LOOK_EVERY_MS = 2_000;

interface StormOptions {
  readonly clips: number;
  readonly engine: 'real' | 'ours';
  readonly kill: 'worker' | 'engine' | undefined;
  readonly seed: number;
  readonly json: boolean;
}

/** @returns exit code: 1 when a clip or a person was not done right by */
export async function benchStorm(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await storm(options, tell, signal);
  const { json, ...asked } = options;
  process.stdout.write(json ? `${JSON.stringify({ ...asked, ...outcome })}\n` : table(outcome));
  const wrong = outcome.noVerdict + outcome.falselyNotified + outcome.untold + outcome.toldTwice;
  return outcome.right === options.clips && wrong === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]): StormOptions {
  const { values, words } = readArguments('scripts/bench', args, {
    clips: whole(1, 999),
    engine: choice(['real', 'ours']),
    kill: choice(['worker', 'engine']),
    seed: whole(1, 2 ** 31),
    json: flag,
  });
  requireNoWords(words);
  const { clips = 100, engine = 'ours', kill, seed = 1, json } = values;
  return { clips, engine, kill, seed, json };
}

async function storm(
  { clips: count, engine: kind, kill, seed }: StormOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<StormOutcome> {
  const program = kind === 'real' ? realProgram(tell) : '';
  const dir = mkdtempSync(join(tmpdir(), 'bench-storm-'));
  const webhook = await startWebhook();
  const azurite = await startAzurite(dir, [kind]);
  const storage = azurite.accounts[kind] ?? '';
  let engine: Engine | undefined;
  let answering: ReturnType<typeof startAnswering> | undefined;
  try {
    await provision(storage);
    const app = productApp({ storage, dir, webhook: webhook.address });
    const deps = { name: kind, app, dir, storage, log: () => undefined };
    engine = await (kind === 'real' ? startRealEngine(deps, program) : startOurEngine(deps));
    answering = startAnswering(storage);
    const clips = await uploadClips(storage, count);
    const startedMs = performance.now();
    const kills = await Promise.all([
      killAgainAndAgain(engine, kill, seed, () => everyoneIsDone(storage, clips), tell, signal),
      announce(engine, clips, signal),
    ]).then(([many]) => many);
    for (const endMs = performance.now() + WITHIN_MS; performance.now() < endMs; await delay(LOOK_EVERY_MS)) {
      signal.throwIfAborted();
      const now = await lookAt(storage, clips);
      tell(`${now.verdicts.size} of ${count} clips have a verdict, ${now.open} are open`);
      if (isSettled(clips, now)) break;
    }
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return outcomeOf(clips, await lookAt(storage, clips), webhook, {
      kills,
      seconds,
      asked: answering.asked(),
    });
  } finally {
    await answering?.stop();
    await engine?.stop();
    await azurite.stop();
    await webhook.stop();
    rmSync(dir, { recursive: true, force: true });
  }
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

/** @returns how often it killed */
async function killAgainAndAgain(
  engine: Engine,
  what: 'worker' | 'engine' | undefined,
  seed: number,
  isOver: () => Promise<boolean>,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<number> {
  if (what === undefined || !engine.kill) return 0;
  const random = createRandom(seed);
  for (let kills = 0; kills < KILLS_MAX; kills += 1) {
    await delay(random.between(KILL_EVERY_MS.least, KILL_EVERY_MS.most), undefined, { signal });
    if (await isOver()) return kills;
    await engine.kill(what);
    tell(`killed the ${what}`);
  }
  return KILLS_MAX;
}

const table = (outcome: StormOutcome) =>
  Object.entries(outcome)
    .map(
      ([name, value]) => `${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : value}\n`,
    )
    .join('');
