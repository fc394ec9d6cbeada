import type { SuppressionReason } from '@dachawatch/contracts';
import { CELL, createBackground } from './scene/background.ts';
import { createDecisions, type MotionDecision } from './decision.ts';
import { checkFrame, type FrameSize } from './frame-size.ts';
import { createIdlePlaces } from './scene/idle.ts';
import { createLightFit } from './scene/lighting.ts';
import type { ModelView } from './model-view.ts';
import { createOutlineCheck } from './tracking/outline.ts';
import { createPatchFinder, type Patch } from './tracking/regions.ts';
import { thresholdsOf } from './sensitivity.ts';
import { createShakeCompensation } from './scene/shake.ts';
import { createSlowScene } from './scene/slow-scene.ts';
import { createSuspicion } from './scene/suspicion.ts';
import { createSwayMap } from './scene/sway.ts';
import { createTextureCheck, KNOWN, SOLID } from './scene/texture.ts';
import type { Track } from './tracking/track.ts';
import { createTracker } from './tracking/tracks.ts';
import { runsOf } from './zones/mask.ts';

export interface MotionDetector {
  /** One grey frame, row by row, 8 bit, `width * height` bytes.
   *  @param atMs monotonic milliseconds of the frame
   *  @returns its own objects, valid until the next frame
   *  @throws Failure `rejected` `motion.frame-size` for a frame of another size; the model is untouched then */
  analyse(frame: Uint8Array, atMs: number): MotionDecision;
  /** Whether a frame shows anything that may become motion. Nothing is learnt from it, nothing is followed: it can be
   *  analysed afterwards, also behind frames that were seen before it.
   *  @throws Failure as `analyse` */
  suspects?(frame: Uint8Array): boolean;
  /** Another sensitivity from the next frame on: what it knows of the scene stays, whatever it follows is followed
   *  anew. */
  retune?(sensitivity: number): void;
  /** What it is made of now, for people who look on: its own arrays, valid until the next frame. */
  inspect?(): ModelView;
}

export interface MotionDetectorDeps {
  readonly size: FrameSize;
  /** Expected; the times of the frames are what counts. */
  readonly framesPerSecond: number;
  /** 1 only large and clear motion, 10 almost any. */
  readonly sensitivity: number;
  /** One byte a pixel, 0 where nothing may be analysed. */
  readonly mask?: Uint8Array;
}

/** What a camera shows in its first moments is taken for the scene. */
const LEARN_MS = 1_000;
/** After the whole scene changed, this long is enough: noise is known already. */
const RELEARN_MS = 800;
/** A scene learnt this recently does not know yet which leaves move: a pixel may look like its neighbours. */
const YOUNG_MS = 3_000;
/** No frame for this long: whatever was followed is gone. */
const FORGET_MS = 6_000;
/** Longest time that one frame may teach. */
const MAX_ELAPSED_MS = 2_500;
/** More of the picture than this changes only with its light, or with the camera. */
const WHOLE_SCENE = 0.55;
/** A change of light that is worth moving the background by, grey levels. */
const RELIGHT = 1;

const QUIET: MotionDecision = { kind: 'quiet' };
/** From the weakest to the strongest reason not to trigger. */
const REASONS = [
  'too-small',
  'lighting',
  'too-short',
  'in-place',
] as const satisfies readonly SuppressionReason[];

/** Background model, cells, regions, tracks. No picture, array or object is made for a frame: the decision and its
 *  regions are always the same ones. */
// oxlint-disable-next-line max-lines-per-function -- the path of one frame through all parts, each of which is a file of its own; what is shared is made once, so that no frame makes anything
export function createMotionDetector(deps: MotionDetectorDeps): MotionDetector {
  const { size, mask } = deps;
  const { width, height } = size;
  let thresholds = thresholdsOf(deps.sensitivity);
  const background = createBackground(size, thresholds.minContrast);
  const fitLight = createLightFit(size);
  const shake = createShakeCompensation(size, background);
  const swayMap = createSwayMap(background);
  const slowScene = createSlowScene(size, background, thresholds.minContrast);
  const textureOf = createTextureCheck(size, background);
  const lookAt = (frame: Uint8Array, cell: number) => {
    const kind = textureOf(frame, cell);
    return kind === SOLID && slowScene.knows(frame, cell) ? KNOWN : kind;
  };
  const places = createIdlePlaces(background.columns, background.rows);
  const finder = createPatchFinder({ size, background, sway: swayMap.sway, places, lookAt });
  const suspects = createSuspicion({ size, background, sway: swayMap.sway, lookAt });
  const isLight = createOutlineCheck(size, background);
  let tracker = createTracker(thresholds, places);
  const decisions = createDecisions(size, finder.patches.length);
  const hidden = mask && runsOf(mask, 0);
  const picture = new Uint8Array(width * height);
  const aligned = new Uint8Array(width * height);
  let learning: { untilMs: number; frames: number; reason: 'learning' | 'whole-scene' } | undefined;
  let started = false;
  const times = { lastMs: 0, learntMs: 0 };

  function relearn(atMs: number, reason: 'learning' | 'whole-scene'): MotionDecision {
    background.reset(picture, atMs);
    swayMap.reset();
    tracker.clear(atMs);
    learning = { untilMs: atMs + (reason === 'learning' ? LEARN_MS : RELEARN_MS), frames: 1, reason };
    return decisions.unjudged(reason);
  }

  function take(frame: Uint8Array): void {
    checkFrame(frame, size);
    picture.set(frame);
    if (hidden) for (let i = 0; i < hidden.length; i += 2) picture.fill(0, hidden[i], hidden[i + 1]);
  }

  function analyse(frame: Uint8Array, atMs: number): MotionDecision {
    take(frame);
    const sinceMs = Math.max(1, atMs - times.lastMs);
    times.lastMs = atMs;
    if (!started) {
      started = true;
      return relearn(atMs, 'learning');
    }
    if (sinceMs > FORGET_MS) tracker.clear(atMs);
    const elapsedMs = Math.min(MAX_ELAPSED_MS, sinceMs);
    if (learning) {
      background.learn(picture, atMs, learning.frames++);
      const { reason, untilMs } = learning;
      slowScene.reset();
      times.learntMs = atMs;
      if (atMs >= untilMs) learning = undefined;
      return decisions.unjudged(reason);
    }
    const seen = shake.align(picture, aligned, elapsedMs) ? aligned : picture;
    const light = fitLight(seen, background.scene);
    if (light && light.change > RELIGHT) {
      background.relight(light.gain, light.offset);
      slowScene.relight(light.gain, light.offset);
    }
    background.compare(seen, atMs, elapsedMs, shake.shaky() || atMs - times.learntMs < YOUNG_MS);
    const share = finder.classify(seen);
    if (share.changed > WHOLE_SCENE) return relearn(atMs, 'whole-scene');
    const decision = decide(seen, atMs, elapsedMs, share.lit > 0);
    hold();
    swayMap.update(seen, finder.kinds, elapsedMs);
    slowScene.update(finder.kinds, elapsedMs);
    return decision;
  }

  function decide(seen: Uint8Array, atMs: number, elapsedMs: number, lit: boolean): MotionDecision {
    decisions.beginFrame();
    let presence = true;
    let strongest = lit ? REASONS.indexOf('lighting') : -1;
    const count = finder.find();
    tracker.beginFrame(atMs, elapsedMs, count);
    for (let index = 0; index < count; index++) {
      const patch = finder.patches[index] as Patch;
      const state = tracker.follow(patch, patch.pixels >= thresholds.minPixels && isLight(seen, patch));
      if (state === 'confirmed' || state === 'present') {
        decisions.addMoving(patch, tracker.last()?.id ?? 0);
        if (state === 'confirmed') presence = false;
      } else {
        decisions.addOther(patch);
        const reason = patch.pixels < thresholds.minPixels ? 'too-small' : state;
        strongest = Math.max(strongest, REASONS.indexOf(reason));
      }
    }
    tracker.endFrame();
    if (decisions.anyMoving()) return decisions.motion(presence);
    const reason = REASONS[strongest];
    return reason ? decisions.suppressed(reason) : QUIET;
  }

  /** Keeps the places of what is followed out of the learning. */
  function hold(): void {
    background.held.fill(0);
    for (let i = 0; i < tracker.tracks.length; i++) {
      const track = tracker.tracks[i] as Track;
      if (!tracker.isHeld(track)) continue;
      for (let cy = track.top / CELL; cy * CELL < track.bottom; cy++)
        background.held.fill(
          1,
          cy * background.columns + track.left / CELL,
          cy * background.columns + Math.ceil(track.right / CELL),
        );
    }
  }

  return {
    analyse,
    suspects: (frame) => {
      take(frame);
      if (!started || learning) return true;
      return suspects(picture, fitLight(picture, background.scene), thresholds.minPixels);
    },
    retune: (sensitivity) => {
      thresholds = thresholdsOf(sensitivity);
      background.retune(thresholds.minContrast);
      slowScene.retune(thresholds.minContrast);
      tracker = createTracker(thresholds, places);
    },
    inspect: () => ({
      columns: background.columns,
      rows: background.rows,
      scene: background.scene,
      changed: background.changed,
      kinds: finder.kinds,
      sway: swayMap.sway,
      idle: places.idle,
      held: background.held,
      tracks: tracker.tracks,
      clutter: tracker.clutter,
    }),
  };
}
