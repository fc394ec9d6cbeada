/** `scripts/bench boot`: how soon the agent records: after a start in good order, and after it was killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type MadeCamera, startMadeCamera } from '../../../../hardware/simulators/camera/made-camera.ts';
import { makePictures } from '../../../../hardware/simulators/camera/made-pictures.ts';
import { flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { median } from '../motion/score.ts';
import { type AgentLife, makeHouse, type Milestones, restartWaitMs } from './agent-lives.ts';

const FPS = 15;
/** The scene is this long at least, then it begins anew. */
const SCENE_S = 4;

export interface BootOptions {
  readonly rounds: number;
  readonly cameras: number;
  /** From one key frame of the cameras to the next. */
  readonly gopMs: number;
}

interface Figure {
  readonly median: number;
  readonly worst: number;
}

type Figures = Readonly<Record<keyof Milestones, Figure>>;

export interface BootOutcome extends BootOptions {
  /** Milliseconds from the start of a process whose last life ended in good order. */
  readonly start: Figures;
  /** Milliseconds from the SIGKILL of an agent that was recording, `restartMs` included. */
  readonly kill: Figures;
  /** How long systemd waits before it starts the agent again. */
  readonly restartMs: number;
}

/** @returns exit code */
export async function benchBoot(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    rounds: whole(1, 1000),
    cameras: whole(1, 8),
    'gop-ms': whole(200, 10_000),
    json: flag,
  });
  requireNoWords(words);
  const { rounds = 5, cameras = 1, 'gop-ms': gopMs = 1_000, json } = values;
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await measureBoot({ rounds, cameras, gopMs }, tell, signal);
  process.stdout.write(`${json ? JSON.stringify(outcome) : table(outcome)}\n`);
  return 0;
}

/** The agent of one house lives and dies: a first life that is not measured, since it makes what later ones find, then
 *  in each round one that begins after an orderly end and one that begins after a kill in the middle of a clip. */
export async function measureBoot(
  options: BootOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<BootOutcome> {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-boot-'));
  const cameras: MadeCamera[] = [];
  let life: AgentLife | undefined;
  try {
    cameras.push(...(await startCameras(options)));
    const start = await makeHouse(dir, cameras);
    const restartMs = await restartWaitMs();
    const starts: Milestones[] = [];
    const kills: Milestones[] = [];
    life = start(signal);
    await life.up;
    for (let round = 1; round <= options.rounds; round++) {
      await life.end('SIGTERM');
      life = start(signal);
      const started = await life.up;
      starts.push(started);
      await life.recordsClip();
      const killedMs = performance.now();
      await life.end('SIGKILL');
      await delay(restartMs, undefined, { signal });
      const againMs = Math.round(performance.now() - killedMs);
      life = start(signal);
      const revived = later(await life.up, againMs);
      kills.push(revived);
      tell(
        `round ${round} of ${options.rounds}: records ${started.recordingMs} ms after a start, ${revived.recordingMs} ms after a kill`,
      );
    }
    return { ...options, start: figuresOf(starts), kill: figuresOf(kills), restartMs };
  } finally {
    await life?.end('SIGTERM');
    await Promise.all(cameras.map((camera) => camera.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

/** Something moves in front of them all the time. Like real ones they begin with the next key frame. */
async function startCameras({ cameras, gopMs }: BootOptions): Promise<MadeCamera[]> {
  const gop = Math.max(1, Math.round((gopMs / 1000) * FPS));
  const seconds = (Math.ceil((SCENE_S * FPS) / gop) * gop) / FPS;
  const streamOf = async (width: number, height: number) => ({
    fps: FPS,
    takes: [{ pictures: await makePictures({ width, height, fps: FPS, seconds, gop }) }],
    beginsWith: 'key-frame' as const,
  });
  const [main, sub] = [await streamOf(1920, 1080), await streamOf(640, 360)];
  return await Promise.all(Array.from({ length: cameras }, () => startMadeCamera({ main, sub })));
}

const later = ({ recordingMs, readyMs, pageMs }: Milestones, byMs: number): Milestones => ({
  recordingMs: recordingMs + byMs,
  readyMs: readyMs + byMs,
  pageMs: pageMs + byMs,
});

function figuresOf(all: readonly Milestones[]): Figures {
  const figure = (of: keyof Milestones): Figure => {
    const values = all.map((one) => one[of]);
    return { median: Math.round(median(values) ?? 0), worst: Math.max(...values) };
  };
  return { recordingMs: figure('recordingMs'), readyMs: figure('readyMs'), pageMs: figure('pageMs') };
}

function table({ rounds, cameras, gopMs, start, kill, restartMs }: BootOutcome): string {
  const row = (name: string, { recordingMs, readyMs, pageMs }: Figures) =>
    [name.padEnd(24), ...[recordingMs, readyMs, pageMs].map(cell)].join('');
  const cell = ({ median: middle, worst }: Figure) => `${middle} (${worst})`.padStart(16);
  return [
    `milliseconds, median and worst of ${rounds} rounds, ${cameras} camera(s), key frames ${gopMs} ms apart`,
    [' '.repeat(24), ...['records', 'ready', 'page'].map((name) => name.padStart(16))].join(''),
    row('after a start', start),
    row('after a kill', kill),
    `${restartMs} ms after a kill are the wait of systemd`,
  ].join('\n');
}
