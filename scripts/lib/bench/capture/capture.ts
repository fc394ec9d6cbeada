/** `scripts/bench capture`: what watching a camera costs, beside the least that a recorder does and beside Debian's
 *  motion, all at the same time and from cameras that show the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CameraSimulator, startCamera } from '../../../../hardware/simulators/camera/camera.ts';
import { flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { cacheDir } from '../../places.ts';
import { median } from '../motion/score.ts';
import { processTree } from './process-tree.ts';
import { type SceneName, sceneVideo } from './scenes.ts';
import { agentCapture, gstreamerFloor, peerMotion, ringAlone, type Subject } from './subjects.ts';

const ROUND_S = 60;
/** Connecting, learning the scene, and most of what V8 compiles. */
const WARM_S = 60;

const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/** CPU seconds a minute: the median of the rounds, and the least and the most. */
export interface Cost {
  readonly median: number;
  readonly spread: readonly [number, number];
}

interface Measured extends Cost {
  /** Of the largest process below the subject's own, or its own when there is none. */
  readonly rssMb: number;
  readonly clips: number | undefined;
}

function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/bench', args, {
    minutes: whole(1, 60),
    cameras: whole(1, 8),
    'gop-ms': whole(200, 10_000),
    json: flag,
  });
  requireNoWords(words);
  return {
    minutes: values.minutes ?? 3,
    cameras: values.cameras ?? 1,
    gopMs: values['gop-ms'] ?? 2_000,
    json: values.json,
  };
}

export async function benchCapture(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  const measured = await measureAll(options, signal);
  const result = resultOf(measured, options);
  process.stdout.write(`${options.json ? JSON.stringify(result) : table(result)}\n`);
  return 0;
}

async function measureAll(
  { minutes, cameras: count, gopMs }: ReturnType<typeof readOptions>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Measured>> {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-capture-'));
  const cameras: CameraSimulator[] = [];
  const subjects: Subject[] = [];
  // One viewer each: the simulator mixes up the time stamps of two viewers of one stream.
  const camera = async (scene: SceneName): Promise<CameraSimulator> => {
    const video = await sceneVideo(scene, cacheDir(), signal);
    const started = await startCamera({ video, gopMs, cacheDir: cacheDir(), onProgress: tell, signal });
    cameras.push(started);
    return started;
  };
  const several = async (scene: SceneName) => {
    const some: CameraSimulator[] = [];
    for (let n = 0; n < count; n++) some.push(await camera(scene));
    return some;
  };
  try {
    subjects.push(await gstreamerFloor(await camera('quiet'), join(dir, 'floor')));
    subjects.push(ringAlone(await camera('quiet')));
    for (const scene of ['quiet', 'busy'] as const) {
      subjects.push(await peerMotion(`motion, ${scene}`, await camera(scene), join(dir, `motion-${scene}`)));
      subjects.push(agentCapture(`ours, ${scene}`, await several(scene), join(dir, `ours-${scene}`)));
    }
    await Promise.all(subjects.map((subject) => subject.ready()));
    tell(`all see their cameras; ${WARM_S} s until measuring begins, then ${minutes} min`);
    await delay(WARM_S * 1000, undefined, { signal });
    return await rounds(subjects, minutes, signal);
  } finally {
    await Promise.all(subjects.map((subject) => subject.stop()));
    await Promise.all(cameras.map((one) => one.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

/** All at the same time, so that a busy machine is equally busy for each. */
async function rounds(
  subjects: readonly Subject[],
  count: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Measured>> {
  const costs = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (let round = 1; round <= count; round++) {
    const before = await Promise.all(subjects.map(cpuOf));
    const beganMs = performance.now();
    await delay(ROUND_S * 1000, undefined, { signal });
    // All are read before the time is taken: what reading takes is no part of anybody's minute.
    const after = await Promise.all(subjects.map(cpuOf));
    const minutes = (performance.now() - beganMs) / 60_000;
    for (const [index, { name }] of subjects.entries()) {
      const costS = ((after[index] ?? 0) - (before[index] ?? 0)) / minutes;
      if (costS <= 0) throw new Error(`${name} did nothing in round ${round}: has it ended?`);
      costs.get(name)?.push(costS);
    }
    tell(
      `round ${round}: ${[...costs].map(([name, all]) => `${name} ${all.at(-1)?.toFixed(2)}`).join(' · ')}`,
    );
  }
  const ends = await Promise.all(
    subjects.map(async (subject) => {
      const all = (costs.get(subject.name) ?? []).toSorted((a, b) => a - b);
      const cost: Measured = {
        median: round2(median(all) ?? 0),
        spread: [round2(all[0] ?? 0), round2(all.at(-1) ?? 0)],
        rssMb: await rssOf(subject),
        clips: await subject.clips(),
      };
      return [subject.name, cost] as const;
    }),
  );
  return new Map(ends);
}

const treeOf = ({ process: { pid } }: Subject) => processTree(pid ?? 0);
const cpuOf = async (subject: Subject) => (await treeOf(subject)).reduce((sum, { cpuS }) => sum + cpuS, 0);
async function rssOf(subject: Subject): Promise<number> {
  const tree = await treeOf(subject);
  const below = tree.filter(({ pid }) => pid !== subject.process.pid);
  return Math.round(Math.max(0, ...(below.length > 0 ? below : tree).map(({ rssMb }) => rssMb)));
}
const round2 = (value: number) => Number(value.toFixed(2));

function resultOf(
  measured: ReadonlyMap<string, Measured>,
  { cameras, gopMs, minutes }: ReturnType<typeof readOptions>,
) {
  const of = (name: string) => measured.get(name) as Measured;
  const cpu = (name: string) => of(name).median;
  const each = (name: string) => cpu(name) / cameras;
  return {
    cameras,
    gopMs,
    minutes,
    floor: cpu('floor'),
    motion: { quiet: cpu('motion, quiet'), busy: cpu('motion, busy') },
    ours: { quiet: cpu('ours, quiet'), busy: cpu('ours, busy'), ring: cpu('ours, ring') },
    rssMb: of('ours, quiet').rssMb,
    motionRssMb: of('motion, quiet').rssMb,
    quietToMotion: round2(each('ours, quiet') / cpu('motion, quiet')),
    busyToMotion: round2(each('ours, busy') / cpu('motion, busy')),
    ringToFloor: round2(cpu('ours, ring') / cpu('floor')),
    clips: { quiet: of('ours, quiet').clips ?? 0, busy: of('ours, busy').clips ?? 0 },
    spread: Object.fromEntries([...measured].map(([name, { spread }]) => [name, spread])),
  };
}

function table(result: ReturnType<typeof resultOf>): string {
  const { floor, motion, ours, spread } = result;
  const row = (name: string, value: number) =>
    `${name.padEnd(16)}${value.toFixed(2).padStart(6)}   (${(spread[name] ?? []).map((one) => one.toFixed(2)).join(' to ')})`;
  return [
    `CPU seconds a minute, ${result.minutes} rounds, key frames ${result.gopMs} ms apart, ours with ${result.cameras} camera(s)`,
    row('floor', floor),
    row('motion, quiet', motion.quiet),
    row('motion, busy', motion.busy),
    row('ours, quiet', ours.quiet),
    row('ours, busy', ours.busy),
    row('ours, ring', ours.ring),
    `a capture child has ${result.rssMb} MB, motion ${result.motionRssMb} MB`,
    `quietToMotion ${result.quietToMotion}, busyToMotion ${result.busyToMotion}, ringToFloor ${result.ringToFloor}`,
    `clips begun: ${result.clips.quiet} quiet, ${result.clips.busy} busy`,
  ].join('\n');
}
