import { Failure } from '../kernel/failure.ts';
import { createBackground } from './background.ts';
import { createLightFit } from './lighting.ts';
import { createPatchFinder, type Patch } from './regions.ts';
import { thresholdsOf } from './sensitivity.ts';
import { createTextureCheck } from './texture.ts';
import { createTracker } from './tracks.ts';

/** Picture size the detector works on. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** A moving region, in relative coordinates: left, top, right, bottom, 0 to 1. */
export type Region = readonly [number, number, number, number];

export type MotionDecision =
  | { readonly kind: 'quiet' }
  /** Something moves, but it does not count; `reason` is stable: `learning`, `too-small`, `too-short`, `in-place`
   *  (it stays or sways where it is), `lighting` (the same surface in another light), `whole-scene`. */
  | { readonly kind: 'suppressed'; readonly reason: string; readonly regions: readonly Region[] }
  | { readonly kind: 'motion'; readonly regions: readonly Region[] };

export interface MotionDetector {
  /** One grey frame, row by row, 8 bit, `width * height` bytes.
   *  @param atMs monotonic milliseconds of the frame
   *  @throws Failure `rejected` `motion.frame-size` for a frame of another size; the model is untouched then */
  analyse(frame: Uint8Array, atMs: number): MotionDecision;
}

export interface MotionDetectorDeps {
  readonly size: FrameSize;
  readonly framesPerSecond: number;
  /** 1 only large and clear motion, 10 almost any. */
  readonly sensitivity: number;
}

/** What a camera shows in its first moments is taken for the scene. */
const LEARN_MS = 1_600;
/** After the whole scene changed, this long is enough: noise is known already. */
const RELEARN_MS = 800;
/** No frame for this long: whatever was followed is gone. */
const FORGET_MS = 3_000;
const MIN_CELL_SHARE = 0.25;
/** More of the picture than this changes only with its light, or with the camera. */
const WHOLE_SCENE = 0.55;
/** Share of a region's pixels that must differ from the frame before. Less: what is parked, or the place that
 *  something left which stood there when the camera learnt the scene. */
const MIN_STIR = 0.04;
/** A change of light that is worth moving the background by, grey levels. */
const RELIGHT = 1;

const QUIET: MotionDecision = { kind: 'quiet' };
/** From the weakest to the strongest reason not to trigger. */
const REASONS = ['too-small', 'lighting', 'too-short', 'in-place'] as const;

/** Background model, cells, regions, tracks. Nothing is allocated for a quiet frame. */
export function createMotionDetector({
  size,
  framesPerSecond,
  sensitivity,
}: MotionDetectorDeps): MotionDetector {
  const { width, height } = size;
  const thresholds = thresholdsOf(sensitivity);
  const background = createBackground(size, thresholds.minContrast);
  const fitLight = createLightFit(size);
  const finder = createPatchFinder(size, background, MIN_CELL_SHARE);
  const isOnlyLight = createTextureCheck(size, background, finder.label);
  const tracker = createTracker(thresholds);
  const frameMs = 1000 / framesPerSecond;
  let learning: { untilMs: number; frames: number; reason: 'learning' | 'whole-scene' } | undefined;
  let lastMs: number | undefined;

  const toRegion = ({ left, top, right, bottom }: Patch): Region => [
    left / width,
    top / height,
    right / width,
    bottom / height,
  ];

  function relearn(frame: Uint8Array, atMs: number, reason: 'learning' | 'whole-scene'): MotionDecision {
    background.reset(frame);
    tracker.clear();
    const forMs = reason === 'learning' ? LEARN_MS : RELEARN_MS;
    learning = { untilMs: atMs + Math.max(forMs, 2 * frameMs), frames: 1, reason };
    return { kind: 'suppressed', reason, regions: [] };
  }

  function analyse(frame: Uint8Array, atMs: number): MotionDecision {
    if (frame.length !== width * height)
      throw new Failure(
        'rejected',
        'motion.frame-size',
        `A frame has ${frame.length} bytes instead of ${width} x ${height}`,
      );
    if (lastMs === undefined) {
      lastMs = atMs;
      return relearn(frame, atMs, 'learning');
    }
    if (atMs - lastMs > FORGET_MS) tracker.clear();
    lastMs = atMs;
    if (learning) {
      background.learn(frame, learning.frames++);
      const { reason, untilMs } = learning;
      if (atMs >= untilMs) learning = undefined;
      return { kind: 'suppressed', reason, regions: [] };
    }
    const light = fitLight(frame, background);
    if (light && light.change > RELIGHT) background.relight(light.gain, light.offset);
    background.compare(frame);
    const count = finder.find();
    if (finder.activeShare() > WHOLE_SCENE) return relearn(frame, atMs, 'whole-scene');
    return decide(frame, count);
  }

  function decide(frame: Uint8Array, count: number): MotionDecision {
    let moving: Region[] | undefined;
    let suppressed: Region[] | undefined;
    let strongest = -1;
    tracker.beginFrame();
    for (let index = 0; index < count; index++) {
      const patch = finder.patches[index] as Patch;
      const verdict =
        patch.pixels < thresholds.minPixels
          ? 'too-small'
          : isOnlyLight(frame, index + 1, patch)
            ? 'lighting'
            : patch.stirred < MIN_STIR * patch.pixels
              ? 'in-place'
              : tracker.follow(patch);
      if (verdict === 'confirmed') (moving ??= []).push(toRegion(patch));
      else {
        (suppressed ??= []).push(toRegion(patch));
        strongest = Math.max(strongest, REASONS.indexOf(verdict));
      }
    }
    tracker.endFrame();
    if (moving) return { kind: 'motion', regions: moving };
    const reason = REASONS[strongest];
    return suppressed && reason ? { kind: 'suppressed', reason, regions: suppressed } : QUIET;
  }

  return { analyse };
}
