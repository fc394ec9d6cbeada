import type { AnalysisDetails } from '@dachawatch/contracts';
import { ClipProblem } from '../clip-problem.ts';
import type { Detector } from '../detectors/detector.ts';
import { fitInto } from '../detectors/letterbox.ts';
import { annotateFrame } from './annotate.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { probeClip } from './probe.ts';
import { ONLY_THIS_FILE } from './run-media-tool.ts';
import { sampleFrames } from './sampled-frames.ts';
import { createSightings } from './sightings.ts';
import { DEFAULT_RATE_FPS, planSampling, type Strategy } from './strategy.ts';

export interface AnalysisOptions {
  readonly strategy: Strategy;
  readonly rateFps?: number;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** FFmpeg options that say what it may open. */
  readonly whitelist?: readonly string[];
}

export interface Analysis {
  /** Without the name of the best frame: where it is kept is the caller's business. */
  readonly details: Omit<AnalysisDetails, 'best_frame'>;
  /** Undefined when nothing worth reporting was seen. */
  readonly bestFrame: { readonly atMs: number; readonly jpeg: Buffer } | undefined;
}

/** Looks at the frames of a clip and says what is in it.
 *  @throws ClipProblem; the signal's reason when it is aborted */
export async function analyseClip(
  file: string,
  detector: Detector,
  { strategy, rateFps = DEFAULT_RATE_FPS, signal, deadlineMs, whitelist = ONLY_THIS_FILE }: AnalysisOptions,
): Promise<Analysis> {
  const cpuBefore = cpuTimeMs();
  const deadline = AbortSignal.timeout(deadlineMs);
  const tools = { signal: AbortSignal.any([signal, deadline]), whitelist };
  try {
    const clip = await probeClip(file, tools);
    const size = fitInto(detector.inputSize, clip);
    const source = sampleFrames(file, planSampling(strategy, clip, rateFps), size, tools);
    const sightings = createSightings();
    for await (const { rgb, atMs } of source.frames)
      sightings.add(atMs, await detector.detect({ rgb, ...size }));

    const best = sightings.bestFrame();
    const bestFrame = best && { atMs: best.atMs, jpeg: await annotateFrame(file, clip, best, tools) };
    return {
      details: {
        schema_version: 1,
        model: { ...detector.model },
        frames: { decoded: source.decoded(), analysed: sightings.analysed() },
        detections: sightings.summary(),
        cpu_ms: Math.round(cpuTimeMs() - cpuBefore),
        strategy,
      },
      bestFrame,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted)
      throw new ClipProblem('analysis.deadline', `the analysis took longer than ${deadlineMs / 1000} s`, {
        final: true,
        cause: error,
      });
    throw error;
  }
}
