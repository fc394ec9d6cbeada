/** `scripts/bench kills`: our functions host is killed at many points of its work; what became of every orchestration. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { createRandom, type Random } from '../faults/random.ts';
import { type Instance, type KilledHost, startKilledHost } from './host.ts';

/** Orchestrations that are begun before each kill. */
const BEGUN_AT_ONCE = 3;
/** A kill comes at the latest after so many lines of the host's log: enough for these to end. */
const LINES_MAX = 60;
/** Hosts that are killed beside each other: while one waits for its line, another starts. */
const HOSTS = 3;
const TELL_EVERY = 50;
const ENDS_WITHIN_MS = 240_000;
const LOOK_EVERY_MS = 50;

export interface KillsOptions {
  readonly points: number;
  readonly seed: number;
}

export interface KillsOutcome extends KillsOptions {
  readonly instances: number;
  /** Ended with the right output, each of their activities, timers and children once. */
  readonly right: number;
  readonly seconds: number;
  /** A sentence for each that did not. */
  readonly findings: readonly string[];
}

/** @returns exit code: 1 when an orchestration did not end right */
export async function benchKills(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    points: whole(1, 100_000),
    seed: whole(1, 2 ** 31),
    json: flag,
  });
  requireNoWords(words);
  const { points = 20, seed = 1, json } = values;
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await killAtPoints({ points, seed }, tell, signal);
  const { findings, ...figures } = outcome;
  const table = Object.entries(figures).map(([name, value]) => `${name.padEnd(16)} ${value}\n`);
  process.stdout.write(json ? `${JSON.stringify(outcome)}\n` : table.join(''));
  return findings.length === 0 && outcome.right === outcome.instances ? 0 : 1;
}

/** Several hosts beside each other, each with its own folder and its share of the points. */
export async function killAtPoints(
  { points, seed }: KillsOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<KillsOutcome> {
  const startedMs = performance.now();
  const dir = mkdtempSync(join(tmpdir(), 'bench-kills-'));
  let done = 0;
  const killed = () => {
    done += 1;
    if (done % TELL_EVERY === 0) tell(`${done} of ${points} kills`);
  };
  try {
    const lanes = await Promise.all(
      Array.from({ length: Math.min(HOSTS, points) }, (_, lane) => {
        const share = Math.floor((points + HOSTS - 1 - lane) / HOSTS);
        const host = { dir: join(dir, `host-${lane}`), compileCache: join(dir, 'compiled'), lane };
        return killOneHost(host, share, createRandom(seed * HOSTS + lane), killed, signal);
      }),
    );
    const findings = lanes.flatMap((lane) => lane.findings);
    for (const line of findings) tell(line);
    const sum = (of: (lane: LaneOutcome) => number) => lanes.reduce((all, lane) => all + of(lane), 0);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return {
      ...{ points, seed, seconds, findings },
      instances: sum(({ instances }) => instances),
      right: sum(({ right }) => right),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

type LaneOutcome = Pick<KillsOutcome, 'instances' | 'right' | 'findings'>;

async function killOneHost(
  { dir, compileCache, lane }: { readonly dir: string; readonly compileCache: string; readonly lane: number },
  points: number,
  random: Random,
  killed: () => void,
  signal: AbortSignal,
): Promise<LaneOutcome> {
  mkdirSync(dir);
  const host = await startKilledHost(dir, compileCache);
  try {
    const begun = new Set<string>();
    const wanted: string[] = [];
    const beginMissing = async () => {
      for (const id of wanted) if (!begun.has(id) && (await host.begin(id))) begun.add(id);
    };
    for (let point = 1; point <= points; point += 1) {
      signal.throwIfAborted();
      for (let n = 0; n < BEGUN_AT_ONCE; n += 1) wanted.push(`chain-${lane}-${wanted.length}`);
      const beginning = beginMissing();
      await host.killAtLine(random.between(0, LINES_MAX));
      await beginning;
      await host.boot();
      killed();
    }
    await beginMissing();
    const findings = await findingsOf(host, wanted);
    const wrong = new Set(findings.map((line) => line.split(':', 1)[0]));
    return { instances: wanted.length, right: wanted.length - wrong.size, findings };
  } finally {
    await host.stop();
  }
}

async function findingsOf(host: KilledHost, ids: readonly string[]): Promise<string[]> {
  const findings: string[] = [];
  const deadline = performance.now() + ENDS_WITHIN_MS;
  for (const id of ids) findings.push(...wrongWith(id, await ended(host, id, deadline)));
  const effects = new Set(host.effects());
  for (const id of ids)
    for (const step of [1, 2, 3, 4])
      if (!effects.has(`Echo "${id}/${step}"`)) findings.push(`${id}: ${id}/${step} took no effect`);
  return findings;
}

async function ended(host: KilledHost, id: string, deadline: number): Promise<Instance> {
  for (;;) {
    const now = await host.instance(id);
    const isLive = now.runtimeStatus === 'Running' || now.runtimeStatus === 'Pending';
    if (!isLive || performance.now() > deadline) return now;
    await delay(LOOK_EVERY_MS);
  }
}

function wrongWith(id: string, { runtimeStatus, output, historyEvents }: Instance): string[] {
  const isRight = JSON.stringify(output) === JSON.stringify([id, [10, 20, 30]]);
  if (runtimeStatus !== 'Completed' || !isRight)
    return [`${id}: is ${runtimeStatus} with ${JSON.stringify(output)}`];
  const of = (type: string) => historyEvents.filter((event) => event.EventType === type);
  const activities = of('TaskCompleted').map((event) => JSON.stringify(event.Result));
  const counts = {
    'activities that ended': [activities.length, 4],
    'different activities': [new Set(activities).size, 4],
    'timers that fired': [of('TimerFired').length, 4],
    'children that ended': [of('SubOrchestrationInstanceCompleted').length, 3],
    starts: [of('ExecutionStarted').length, 1],
  };
  return Object.entries(counts)
    .filter(([, [is, wanted]]) => is !== wanted)
    .map(([what, [is, wanted]]) => `${id}: ${is} ${what} instead of ${wanted}`);
}
