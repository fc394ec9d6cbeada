/** `scripts/bench faults`: kills and injected errors, then recovery, then what became of every clip. */
import { parseArgs } from 'node:util';
import { createFindings, type Finding, TORN_SECONDS_MAX } from './findings.ts';
import { describePlan, planOf } from './plan.ts';
import { createCampaign } from './campaign.ts';
import { SABOTAGES, type Sabotage } from './settings.ts';
import { makeWorld } from './world.ts';
import { Refusal } from '../refusal.ts';

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
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string' },
        seed: { type: 'string', default: '1' },
        round: { type: 'string' },
        'house-only': { type: 'boolean', default: false },
        sabotage: { type: 'string' },
        keep: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const sabotage = SABOTAGES.find((one) => one === values.sabotage);
    if (values.sabotage !== undefined && sabotage === undefined)
      throw new Refusal(`--sabotage is one of ${SABOTAGES.join(', ')}, not "${values.sabotage}"`);
    const one = values.round === undefined ? undefined : whole('--round', values.round, 0, 1_000_000);
    const count = whole('--rounds', values.rounds ?? '20', 1, 100_000);
    return {
      seed: whole('--seed', values.seed, 0, 2 ** 32 - 1),
      rounds: one === undefined ? Array.from({ length: count }, (_, round) => round) : [one],
      cloud: !values['house-only'],
      sabotage,
      keep: values.keep,
      json: values.json,
    };
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal((error as Error).message);
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Refusal(`${name} takes a whole number from ${least} to ${most}, not "${text}"`);
}

/** A round that took so long is worth a second look. */
const SLOW_MS = 8_000;

const tell = (line: string) => process.stderr.write(`${line}\n`);

export async function benchFaults(args: readonly string[], signal: AbortSignal): Promise<void> {
  const options = optionsOf(args);
  const report = await runFaults(options, signal);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${sentences(report)}\n`);
  if (report.findings.length > 0) process.exitCode = 1;
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
