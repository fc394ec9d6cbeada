import type { AnalysisDetails } from '@dachawatch/contracts';
import { ClipProblem } from '../clip-problem.ts';
import { type Detection, type Detector, isCandidate, type SecondDetector } from '../detectors/detector.ts';
import { oneBoxPerThing } from '../detectors/overlap.ts';
import { annotateFrame } from './annotate.ts';
import { codedPictures } from './coded-pictures.ts';
import { coverageOf, usualDistanceMs } from './coverage.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { faultlessPictures } from './faultless-pictures.ts';
import { fullSize } from './looks/full-picture.ts';
import { lookAgain } from './looks/look-again.ts';
import { lookAt } from './looks/look.ts';
import { createLookPlan, LOOKS_AT_STILL } from './looks/look-plan.ts';
import { createMotionMap } from './looks/motion-map.ts';
import { probeClip } from './probe.ts';
import { ONLY_THIS_FILE } from './run-media-tool.ts';
import { sampleFrames } from './sampled-frames.ts';
import { type Asked, createSecondOpinion, isSure } from './second-opinion.ts';
import { createHints } from './looks/hints.ts';
import { createSightings } from './sightings.ts';
import { DEFAULT_RATE_FPS, planSampling, type SamplingPlan, type Strategy } from './strategy.ts';
import type { Reported, Track } from './tracks.ts';

export interface AnalysisOptions {
  readonly strategy: Strategy;
  readonly rateFps?: number;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** How long the clip is, by whoever recorded it. Undefined: the container is asked. */
  readonly expectedMs?: number | undefined;
  /** Asked about people that the first one is not sure of. Undefined: nobody is. */
  readonly second?: SecondDetector | undefined;
  /** Told after each frame; `soFar` says what would be reported if it were the last, without a second opinion. */
  readonly onFrame?: (soFar: () => AnalysisDetails['detections'], analysed: number) => void;
  /** FFmpeg options that say what it may open. */
  readonly whitelist?: readonly string[];
}

export interface Analysis {
  /** Without the name of the best frame: where it is kept is the caller's business. */
  readonly details: Omit<AnalysisDetails, 'best_frame'>;
  /** Undefined when nothing worth reporting was seen. */
  readonly bestFrame: { readonly atMs: number; readonly jpeg: Buffer } | undefined;
  /** What the answer was made of, for people who tune by looking. */
  readonly seen: Seen;
}

export interface Seen {
  readonly plan: SamplingPlan;
  /** Size in which pictures were looked at. */
  readonly size: { readonly width: number; readonly height: number };
  /** All of them, in the order in which they began. */
  readonly tracks: readonly Track[];
  readonly reported: readonly Reported[];
  readonly opinions: ReadonlyMap<Track, Asked>;
  /** Pictures that were looked at once more. */
  readonly again: number;
}

/** Looks at the frames of a clip and says what is in it.
 *  @throws ClipProblem; the signal's reason when it is aborted */
export async function analyseClip(
  file: string,
  detector: Detector,
  options: AnalysisOptions,
): Promise<Analysis> {
  const { strategy, rateFps = DEFAULT_RATE_FPS, signal, deadlineMs, whitelist = ONLY_THIS_FILE } = options;
  const cpuBefore = cpuTimeMs();
  const deadline = AbortSignal.timeout(deadlineMs);
  const tools = { signal: AbortSignal.any([signal, deadline]), whitelist };
  try {
    const clip = await probeClip(file, tools);
    const size = fullSize(clip);
    const { pictures, timeless } = await codedPictures(file, clip.startMs, tools);
    // What the pictures say about the clip's length: its container, or the time of one picture, may say anything.
    const lengthMs = usualDistanceMs(pictures) * pictures.length || clip.durationMs;
    const plan = planSampling(strategy, { durationMs: lengthMs }, rateFps);
    const source = sampleFrames(file, plan, size, tools);
    const sightings = createSightings();
    const opinion = createSecondOpinion(options.second);
    const motionMap = createMotionMap();
    const looks = createLookPlan(strategy, size);
    const hints = createHints();
    let blank = 0;
    let lookedAgain = 0;
    for await (const { picture, atMs } of source.frames) {
      const motion = motionMap.next(picture);
      const found: Detection[] = [];
      const chosen = pictures.length === 1 ? LOOKS_AT_STILL : looks.next(motion, hints.at(atMs));
      for (const look of chosen) {
        const seen = await lookAt(detector, picture, look);
        looks.found(
          look,
          seen.some(({ label }) => label === 'person'),
        );
        found.push(...seen);
      }
      if (chosen.length === 0) continue;
      if (isBlank(picture.luma)) blank++;
      const things = oneBoxPerThing(found);
      hints.add(atMs, things);
      const tracks = sightings.add(atMs, things, motion.movedIn);
      for (const [index, detection] of things.entries()) {
        const track = tracks[index];
        if (track && detection.label === 'person' && isCandidate(detection))
          opinion.keep(track, picture, detection, atMs);
      }
      options.onFrame?.(sightings.summary, sightings.analysed());
    }
    const coverage = coverageOf({
      pictures: plan.keyFramesOnly ? pictures.filter(({ key }) => key) : pictures,
      timeless,
      decodedMs:
        source.paintedOver() > 0 ? await faultlessPictures(file, { ...plan, ...tools }) : source.decodedMs,
      expectedMs: options.expectedMs ?? clip.durationMs,
      blank,
    });

    if (
      pictures.length > 1 &&
      !sightings.reported().some(({ facts }) => facts.group === 'person' && isSure(facts))
    )
      for await (const again of lookAgain({ file, plan, size, detector }, sightings.tracks(), tools))
        if ('track' in again) {
          const { track, sighting, picture } = again;
          sightings.insert(track, sighting);
          if (isCandidate(sighting.detection))
            opinion.keep(track, picture, sighting.detection, sighting.atMs);
        } else {
          sightings.addTime(again.atMs);
          lookedAgain++;
        }

    const reported = sightings.reported();
    const { opinions, model: secondModel } = await opinion.about(reported);
    const best = sightings.bestFrame(opinions);
    const bestFrame = best && { atMs: best.atMs, jpeg: await annotateFrame(file, clip, best, tools) };
    return {
      details: {
        schema_version: 1,
        model: { ...detector.model },
        ...(secondModel && { second_model: { ...secondModel } }),
        frames: { decoded: source.decodedMs.length, analysed: sightings.analysed() },
        coverage,
        detections: sightings.summary(opinions),
        cpu_ms: Math.round(cpuTimeMs() - cpuBefore),
        strategy,
      },
      bestFrame,
      seen: { plan, size, tracks: sightings.tracks(), reported, opinions, again: lookedAgain },
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

/** Levels between the darkest and the brightest of a picture that shows nothing. */
const BLANK_RANGE = 4;

/** One colour all over: a covered lens, or what a decoder shows in place of a picture that it does not have. */
function isBlank(luma: Uint8Array): boolean {
  let [low, high] = [255, 0];
  for (const level of luma) {
    if (level < low) low = level;
    if (level > high) high = level;
    if (high - low > BLANK_RANGE) return false;
  }
  return true;
}
