/** `scripts/bench hostile`: the product's functions app on a functions host that does to it whatever the real one may, by
 *  seed, on a clock of its own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { choice, flag, readArguments, requireNoWords, text, whole } from '../../command/arguments.ts';
import { outcomeOf, type SeedOutcome } from './outcome.ts';
import { playSeed, SABOTAGE, type Sabotage } from './world.ts';

/** Seeds between two words about how far it is. */
const TELL_EVERY = 25;

const COUNTS = [
  'right',
  'noVerdict',
  'falselyNotified',
  'untold',
  'toldTwice',
  'unfinished',
  'toldAgain',
] as const;

export interface HostileOptions {
  readonly seeds: number;
  readonly first: number;
  readonly clips: number;
  readonly sabotage?: Sabotage | undefined;
}

export type HostileOutcome = HostileOptions &
  Record<(typeof COUNTS)[number], number> & {
    readonly deaths: number;
    readonly instances: number;
    readonly failed: number;
    readonly hours: number;
    readonly seconds: number;
    readonly findings: readonly { readonly seed: number; readonly what: string }[];
  };

/** @returns exit code: 1 when a clip or a person was not done right by */
export async function benchHostile(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    seeds: whole(1, 100_000),
    seed: whole(1, 2 ** 31),
    clips: whole(1, 100),
    keep: text,
    sabotage: choice(SABOTAGE),
    json: flag,
  });
  requireNoWords(words);
  const { seeds = 20, seed: first = 1, clips = 6, keep, sabotage, json } = values;
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await playSeeds({ seeds, first, clips, sabotage }, tell, signal, keep);
  process.stdout.write(json ? `${JSON.stringify(outcome)}\n` : table(outcome));
  return isRight(outcome) ? 0 : 1;
}

export const isRight = (outcome: HostileOutcome): boolean =>
  outcome.findings.length === 0 && outcome.right === outcome.seeds * outcome.clips;

/** @param keep a folder for the journal of each seed with findings */
export async function playSeeds(
  options: HostileOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
  keep?: string,
): Promise<HostileOutcome> {
  const startedMs = performance.now();
  const total = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<
    (typeof COUNTS)[number],
    number
  >;
  const findings: { seed: number; what: string }[] = [];
  let [deaths, instances, failed, minutes] = [0, 0, 0, 0];
  for (let seed = options.first; seed < options.first + options.seeds; seed += 1) {
    const played = await playSeed(seed, options.clips, signal, options.sabotage);
    const outcome: SeedOutcome = outcomeOf(played);
    for (const name of COUNTS) total[name] += outcome[name];
    for (const what of outcome.findings) {
      findings.push({ seed, what });
      tell(`seed ${seed}: ${what}`);
    }
    if (keep !== undefined && outcome.findings.length > 0)
      writeFileSync(join(keep, `hostile-${seed}.txt`), `${played.journal.join('\n')}\n`);
    deaths += played.deaths;
    instances += played.instances;
    failed += played.failed;
    minutes += played.minutes;
    const done = seed - options.first + 1;
    if (done % TELL_EVERY === 0) tell(`${done} of ${options.seeds} seeds`);
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return {
    ...options,
    ...total,
    deaths,
    instances,
    failed,
    hours: Math.round(minutes / 60),
    seconds,
    findings,
  };
}

const table = (outcome: HostileOutcome) =>
  Object.entries(outcome)
    .filter(([name]) => name !== 'findings')
    .map(([name, value]) => `${name.padEnd(16)} ${String(value)}\n`)
    .join('');
