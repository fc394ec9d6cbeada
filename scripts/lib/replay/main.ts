/** `scripts/replay`: shows what motion detection saw. Its help stands in `scripts/replay`. */
import { mkdirSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GREY } from '../../../agent/capture/pipelines.ts';
import { createMotionDetector, type MotionDecision } from '../../../agent/motion/motion.ts';
import { probeVideo } from '../../../hardware/simulators/camera/video-probe.ts';
import { readGreyFrames } from '../bench/grey-frames.ts';
import { Refusal } from '../bench/refusal.ts';
import type { ModelView } from '../../../agent/motion/model-view.ts';
import { interestingMoments, type Judged } from './moments.ts';
import { writePng, writeVideo } from './pictures.ts';
import { createScreen } from './screen.ts';
import { createStrip } from './strip.ts';
import { createTrails } from './trails.ts';

const MOST_MOMENTS = 10;

function readOptions(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        out: { type: 'string', default: '.' },
        sensitivity: { type: 'string', default: '5' },
        'every-ms': { type: 'string', default: `${1000 / GREY.framesPerSecond}` },
        'lead-in': { type: 'string', default: '0' },
        'no-video': { type: 'boolean', default: false },
      },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new Refusal('name one video FILE');
    return {
      file: resolve(file),
      out: resolve(values.out),
      video: !values['no-video'],
      sensitivity: whole(values.sensitivity, 'sensitivity', 1, 10),
      everyMs: whole(values['every-ms'], 'every-ms', 20, 10_000),
      leadInS: whole(values['lead-in'], 'lead-in', 0, 60),
    };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${(error as Error).message} (scripts/replay --help lists the options)`);
  }
}

function whole(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Refusal(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
}

type Options = ReturnType<typeof readOptions>;

interface Step {
  readonly index: number;
  readonly frame: Uint8Array;
  readonly atS: number;
  readonly decision: MotionDecision;
  readonly model: ModelView | undefined;
}

/** The whole file through a new detector. The same file gives the same decisions each time. */
async function run(options: Options, look: (step: Step) => void | Promise<void>): Promise<void> {
  const { file, everyMs, leadInS, sensitivity } = options;
  const detector = createMotionDetector({ size: GREY, framesPerSecond: 1000 / everyMs, sensitivity });
  let index = 0;
  await readGreyFrames({ file, everyMs, leadInS }, (frame, atS) => {
    const decision = detector.analyse(frame, (atS + leadInS) * 1000);
    return look({ index: index++, frame, atS, decision, model: detector.inspect?.() });
  });
}

async function replay(options: Options): Promise<void> {
  const { file, out, everyMs } = options;
  await probeVideo(file).catch((error: Error) => {
    throw new Refusal(error.message);
  });
  mkdirSync(out, { recursive: true });
  // Once to know what comes, for the time line and the choice of moments; once to draw.
  const judged: Judged[] = [];
  await run(options, ({ decision, atS }) => {
    const { kind } = decision;
    judged.push(kind === 'suppressed' ? { atS, kind, reason: decision.reason } : { atS, kind });
  });
  const name = basename(file, extname(file));
  const { width, height } = GREY;
  const strip = createStrip({ name, width, height }, judged, interestingMoments(judged, MOST_MOMENTS));
  const screen = createScreen(name, width, height, judged);
  const videoFile = join(out, `${name}.replay.mp4`);
  const stripFile = join(out, `${name}.moments.png`);
  const video = options.video ? writeVideo(videoFile, screen.canvas, 1000 / everyMs) : undefined;
  const trails = createTrails();
  await run(options, async ({ index, frame, decision, model }) => {
    trails.note(model);
    const look = { frame, width, height, decision, model, trails };
    strip.draw(index, look);
    await video?.add(screen.draw(index, look));
  });
  await video?.end();
  await writePng(stripFile, strip.canvas);
  for (const written of [stripFile, ...(video ? [videoFile] : [])]) process.stdout.write(`${written}\n`);
}

try {
  await replay(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`scripts/replay: ${(error as Error).message}\n`);
  process.exitCode = error instanceof Refusal ? 2 : 1;
}
