import { basename, extname, join } from 'node:path';
import { GREY } from '../../../agent/capture/child/pipelines.ts';
import type { ModelView } from '../../../agent/motion/model-view.ts';
import {
  causeText,
  createMotionDetector,
  createMotionGate,
  type GateDecision,
} from '../../../agent/motion/motion.ts';
import type { ZoneSettings } from '../../../agent/motion/zones/judge.ts';
import { probeVideo } from '../../../hardware/simulators/camera/video-probe.ts';
import { readGreyFrames } from '../bench/motion/grey-frames.ts';
import { Refusal } from '../command/ends.ts';
import { interestingMoments, type Judged } from './moments.ts';
import type { Options } from './options.ts';
import { writePng, writeVideo } from './pictures.ts';
import { createProgress } from './progress.ts';
import { createScreen } from './screen.ts';
import { createStrip } from './strip.ts';
import { createTrails } from './trails.ts';

const MOST_MOMENTS = 10;

interface Step {
  readonly index: number;
  /** As the model saw it: masked. */
  readonly frame: Uint8Array;
  readonly atS: number;
  readonly decision: GateDecision;
  readonly model: ModelView | undefined;
}

/** Nothing is wrong: what was asked for has been seen. */
class Enough extends Error {}

/** The file through a new model behind the zones. The same file gives the same decisions each time. */
async function run(
  { file, everyMs, leadInS, beginsMs, toS }: Options,
  settings: ZoneSettings,
  look: (step: Step) => void | Promise<void>,
): Promise<void> {
  let nowMs = beginsMs;
  const gate = createMotionGate({
    settings,
    size: GREY,
    framesPerSecond: 1000 / everyMs,
    createDetector: createMotionDetector,
    clock: { nowMs: () => nowMs },
  });
  // The panels show one run of the model: the camera's own, else that of the first zone.
  const shown = gate.detectors.get(settings.sensitivity) ?? [...gate.detectors.values()][0];
  let index = 0;
  try {
    await readGreyFrames({ file, everyMs, leadInS }, (frame, atS) => {
      if (toS !== undefined && atS > toS) throw new Enough();
      nowMs = beginsMs + atS * 1000;
      const decision = gate.analyse(frame, (atS + leadInS) * 1000);
      return look({ index: index++, frame: gate.seen(), atS, decision, model: shown?.inspect?.() });
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
}

/** Writes the strip of moments and the video of a clip.
 *  @returns the files that were written */
export async function replayClip(options: Options, settings: ZoneSettings): Promise<string[]> {
  const { file, out, everyMs, fromS, toS } = options;
  const { durationS } = await probeVideo(file).catch((error: Error) => {
    throw new Refusal(error.message);
  });
  if (durationS > 0 && fromS >= durationS)
    throw new Refusal(`--from ${fromS} is not in the video, which is ${durationS.toFixed(1)} s long`);
  const progress = createProgress({
    lengthS: Math.min(durationS, toS ?? durationS),
    nowMs: () => performance.now(),
    tell: (line) => process.stderr.write(`scripts/replay: ${line}\n`),
  });
  // Once to know what comes, for the time line and the choice of moments; once to draw. What lies before the first
  // second that was asked for is judged, too: the model has to know the scene.
  const judged: Judged[] = [];
  let skipped = 0;
  await run(options, settings, ({ decision, atS }) => {
    progress('looking', atS);
    // The lead-in belongs to the beginning of the clip.
    if (fromS > 0 && atS < fromS) skipped++;
    else judged.push(judgedAs(decision, atS));
  });
  const name = basename(file, extname(file));
  const { width, height } = GREY;
  const strip = createStrip({ name, width, height }, judged, interestingMoments(judged, MOST_MOMENTS));
  const screen = createScreen(name, width, height, judged);
  const videoFile = join(out, `${name}.replay.mp4`);
  const stripFile = join(out, `${name}.moments.png`);
  const video = options.video ? writeVideo(videoFile, screen.canvas, 1000 / everyMs) : undefined;
  const trails = createTrails();
  await run(options, settings, async ({ index, frame, atS, decision, model }) => {
    progress('drawing', atS);
    trails.note(model);
    if (index < skipped) return;
    const picture = { frame, width, height, decision, settings, model, trails };
    strip.draw(index - skipped, picture);
    await video?.add(screen.draw(index - skipped, picture));
  });
  await video?.end();
  await writePng(stripFile, strip.canvas);
  return [stripFile, ...(video ? [videoFile] : [])];
}

function judgedAs(decision: GateDecision, atS: number): Judged {
  const { kind } = decision;
  if (kind === 'suppressed') return { atS, kind, reason: decision.reason };
  if (kind === 'quiet' || decision.cause.kind === 'picture') return { atS, kind };
  return { atS, kind, cause: causeText(decision.cause) };
}
