/** `scripts/bench faults`: kills and injected errors, then recovery, then what became of every clip. */
import { choice, flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { createFindings, type Finding, TORN_SECONDS_MAX } from './findings.ts';
import { describePlan, planOf } from './plan.ts';
import { createCampaign } from './campaign.ts';
import { SABOTAGES, type Sabotage } from './settings.ts';
import { makeWorld } from './world.ts';
import { Refusal } from '../../command/ends.ts';

export interface FaultsReport {
  readonly rounds: number;
  readonly clips: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly unexplained: number;
  readonly tornSecondsMax: number;
  readonly seed: number;
  /** Calls and requests that went wrong, and processes that were killed. */
  readonly faults: number;
  readonly kills: number;
  /** How often a process ended by itself because of a fault. */
  readonly ended: number;
  /** Clips that a policy gave up, and clips that storage would not have. */
  readonly givenUp: number;
  readonly parked: number;
  readonly seconds: number;
  readonly findings: readonly (Finding & { readonly replay: string })[];
}

interface Options {
  readonly seed: number;
  readonly rounds: readonly number[];
  readonly cloud: boolean;
  readonly sabotage: Sabotage | undefined;
  readonly keep: boolean;
  readonly json: boolean;
}

function optionsOf(args: readonly string[]): Options {
  const { values, words } = readArguments('scripts/bench', args, {
    rounds: whole(1, 100_000),
    seed: whole(0, 2 ** 32 - 1),
    round: whole(0, 1_000_000),
    'house-only': flag,
    sabotage: choice(SABOTAGES),
    keep: flag,
    json: flag,
  });
  requireNoWords(words);
  const { round, rounds } = values;
  if (round !== undefined && rounds !== undefined)
    throw new Refusal('--rounds has no effect with --round, which is one of them alone');
  return {
    seed: values.seed ?? 1,
    rounds: round === undefined ? Array.from({ length: rounds ?? 20 }, (_, each) => each) : [round],
    cloud: !values['house-only'],
    sabotage: values.sabotage,
    keep: values.keep,
    json: values.json,
  };
}

/** A round that took so long is worth a second look. */
const SLOW_MS = 8_000;

const tell = (line: string) => process.stderr.write(`${line}\n`);

export async function benchFaults(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = optionsOf(args);
  const report = await runFaults(options, signal);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${sentences(report)}\n`);
  return report.findings.length > 0 ? 1 : 0;
}

export async function runFaults(options: Omit<Options, 'json'>, signal: AbortSignal): Promise<FaultsReport> {
  const { seed, rounds, cloud, sabotage, keep } = options;
  const began = performance.now();
  const findings = createFindings();
  const world = await makeWorld({ seed, cloud, sabotage });
  let broken = true;
  try {
    const campaign = createCampaign(world, {
      found: (finding) => {
        if (findings.add(finding))
          tell(`FOUND in round ${finding.round}: ${finding.kind}: ${finding.clipId ?? ''} ${finding.what}`);
      },
    });
    await campaign.begin();
    for (const round of rounds) {
      signal.throwIfAborted();
      const plan = planOf(seed, round);
      const { clips, ms, waited } = await campaign.round(plan);
      tell(`round ${round}: ${clips} clips, ${Math.round(ms)} ms: ${describePlan(plan)}`);
      if (ms > SLOW_MS) tell(`  waited for: ${waited}`);
      for (const ending of campaign.endings()) tell(`  ${ending}`);
    }
    await campaign.end();
    broken = findings.list().length > 0;
    const totals = campaign.totals();
    return {
      rounds: rounds.length,
      clips: totals.clips,
      lost: findings.count('lost'),
      duplicated: findings.count('duplicated'),
      unexplained: findings.count('unexplained'),
      tornSecondsMax: totals.tornMsMax / 1_000,
      seed,
      ...{ faults: totals.fired, kills: totals.killed, ended: totals.ended },
      ...{ givenUp: totals.givenUp, parked: totals.parked },
      seconds: Math.round((performance.now() - began) / 1_000),
      findings: findings.list().map((finding) => ({
        ...finding,
        replay: `scripts/bench faults --seed ${seed} --round ${finding.round}${cloud ? '' : ' --house-only'}`,
      })),
    };
  } finally {
    await world.stop(keep && broken);
    if (keep && broken) tell(`everything is kept in ${world.dir}`);
  }
}

function sentences(report: FaultsReport): string {
  const { rounds, clips, faults, kills, ended, givenUp, parked, seconds, findings } = report;
  return [
    `${rounds} rounds in ${seconds} s: ${clips} clips, ${faults} calls and requests gone wrong, ${kills} kills`,
    `lost ${report.lost}, duplicated ${report.duplicated}, unexplained ${report.unexplained}, ` +
      `torn at most ${report.tornSecondsMax} s (${TORN_SECONDS_MAX} s are allowed)`,
    `given up by a policy ${givenUp}, parked ${parked}, processes that ended by themselves ${ended}`,
    ...findings.map(
      ({ kind, round, clipId, what, replay }) =>
        `${kind}, round ${round}: ${clipId ?? ''} ${what}\n  ${replay}`,
    ),
  ].join('\n');
}
