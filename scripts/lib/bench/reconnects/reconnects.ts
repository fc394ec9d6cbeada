/** `scripts/bench reconnects`: what is left behind when the line to a camera breaks again and again, in different ways. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startMadeCamera } from '../../../../hardware/simulators/camera/made-camera.ts';
import { makePictures } from '../../../../hardware/simulators/camera/made-pictures.ts';
import {
  type Break,
  BREAKS,
  startTroubleLine,
  type TroubleLine,
} from '../../../../hardware/simulators/camera/trouble-line.ts';
import { choice, flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { processTree } from '../capture/process-tree.ts';
import { fellBehind, type Sample } from './samples.ts';
import type { Held, ProgramOptions } from './watch-program.ts';

const FPS = 10;
const LIVE_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 100;
/** How long a line that lasts stays broken: longer than silence is borne. */
const BROKEN_MS = 4_000;

export interface ReconnectsOptions {
  readonly reconnects: number;
  readonly sabotage?: 'leak' | undefined;
}

export interface ReconnectsOutcome {
  readonly reconnects: number;
  readonly breaks: Readonly<Record<Break, number>>;
  /** When each way of breaking had come once, and at the end. */
  readonly first: Sample;
  readonly last: Sample;
  readonly seconds: number;
  /** A sentence for each figure that grew. */
  readonly findings: readonly string[];
}

/** @returns exit code: 1 when something was left behind */
export async function benchReconnects(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    times: whole(12, 10_000),
    sabotage: choice(['leak']),
    json: flag,
  });
  requireNoWords(words);
  const { times: reconnects = 100, sabotage, json } = values;
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await reconnect({ reconnects, sabotage }, tell, signal);
  process.stdout.write(`${json ? JSON.stringify(outcome) : table(outcome)}\n`);
  return outcome.findings.length === 0 ? 0 : 1;
}

/** Breaks the line so many times, each way in turn, waiting in between until the camera is live again. */
export async function reconnect(
  { reconnects, sabotage }: ReconnectsOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<ReconnectsOutcome> {
  const startedMs = performance.now();
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-reconnects-'));
  const pictures = await makePictures({ width: 320, height: 180, fps: FPS, gop: FPS / 2 });
  const stream = { fps: FPS, takes: [{ pictures }] };
  const camera = await startMadeCamera({ main: stream, sub: stream });
  const line = await startTroubleLine(Number(new URL(camera.mainUrl).port));
  const options: ProgramOptions = {
    ...{ main: line.mainUrl, sub: line.subUrl },
    ...{ dir: join(dir, 'clips'), leaks: sabotage === 'leak' },
  };
  const watcher = fork(new URL('watch-program.ts', import.meta.url), [JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, TMPDIR: dir, NODE_COMPILE_CACHE: join(dir, 'compiled') },
  });
  const breaks = Object.fromEntries(BREAKS.map((how) => [how, 0])) as Record<Break, number>;
  try {
    let pid = await live(watcher, null, signal);
    let first: Sample | undefined;
    let last: Sample | undefined;
    for (let time = 0; time < reconnects; time++) {
      const how = BREAKS[time % BREAKS.length] as Break;
      breaks[how]++;
      await line.break(how);
      if (how === 'refuse' || how === 'silence') await delay(BROKEN_MS, undefined, { signal });
      await line.mend();
      pid = await live(watcher, pid, signal);
      const isWhole = (time + 1) % BREAKS.length === 0;
      if (!isWhole && time + 1 < reconnects) continue;
      last = await settled(watcher, line, dir, signal);
      first ??= last;
      tell(`${time + 1} of ${reconnects}: ${sentence(last)}`);
    }
    if (!first || !last) throw new Error('the line was never broken');
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return { reconnects, breaks, first, last, seconds, findings: fellBehind(first, last) };
  } finally {
    if (watcher.exitCode === null && watcher.signalCode === null) {
      const exit = once(watcher, 'exit');
      watcher.kill('SIGKILL');
      await exit;
    }
    await line.stop();
    await camera.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function look(watcher: ChildProcess): Promise<Held> {
  if (!watcher.connected) throw new Error('the process that watches has ended');
  const answer = once(watcher, 'message', { signal: AbortSignal.timeout(LIVE_WITHIN_MS) });
  watcher.send({}, () => undefined);
  return (await answer)[0] as Held;
}

/** Waits until another child than that one shows pictures. @returns which */
async function live(watcher: ChildProcess, not: number | null, signal: AbortSignal): Promise<number> {
  const deadlineMs = performance.now() + LIVE_WITHIN_MS;
  for (;;) {
    const { state, childPid } = await look(watcher);
    if (state === 'live' && childPid !== null && childPid !== not) return childPid;
    if (performance.now() > deadlineMs)
      throw new Error(`the camera did not become live again: it is ${state}`);
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** What is held when nothing is on its way any more: the least of some looks, since a clip may begin at any time. */
async function settled(
  watcher: ChildProcess,
  line: TroubleLine,
  dir: string,
  signal: AbortSignal,
): Promise<Sample> {
  const looks: Sample[] = [];
  for (let n = 0; n < 8; n++) {
    await delay(LOOK_EVERY_MS * 3, undefined, { signal });
    looks.push(await sample(watcher, line, dir));
  }
  const least = (of: keyof Sample) => Math.min(...looks.map((one) => one[of]));
  return {
    descriptors: least('descriptors'),
    resources: least('resources'),
    heapMb: least('heapMb'),
    processes: least('processes'),
    childDescriptors: least('childDescriptors'),
    childRssMb: least('childRssMb'),
    connections: least('connections'),
    files: least('files'),
  };
}

async function sample(watcher: ChildProcess, line: TroubleLine, dir: string): Promise<Sample> {
  const { descriptors, resources, heapMb, childPid } = await look(watcher);
  const tree = await processTree(watcher.pid ?? 0);
  const child = tree.find(({ pid }) => pid === childPid);
  const names = await readdir(dir, { recursive: true });
  return {
    descriptors,
    resources,
    heapMb: Number(heapMb.toFixed(1)),
    processes: tree.length,
    childDescriptors: (await readdir(`/proc/${childPid}/fd`)).length,
    childRssMb: Math.round(child?.rssMb ?? 0),
    connections: line.connections(),
    // What Node compiled is a cache of its own.
    files: names.filter((name) => !name.startsWith('compiled')).length,
  };
}

const sentence = (one: Sample) =>
  Object.entries(one)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

function table({ reconnects, first, last, seconds, findings }: ReconnectsOutcome): string {
  return [
    `${reconnects} reconnects in ${seconds} s`,
    `at first  ${sentence(first)}`,
    `at last   ${sentence(last)}`,
    ...(findings.length > 0 ? findings : ['nothing was left behind']),
  ].join('\n');
}
