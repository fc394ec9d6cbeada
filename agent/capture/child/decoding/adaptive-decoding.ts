import type { Clock } from '../../../kernel/clock.ts';
import { Failure } from '../../../kernel/failure.ts';
import { within } from '../../../kernel/waiting/deadline.ts';
import type { GateDecision } from '../../../motion/motion.ts';
import type { CodedPicture } from '../../packing/coded-pictures.ts';
import type { RunningPipeline } from '../gstreamer.ts';
import type { MotionStage } from '../motion-stage.ts';
import { createDecoderQueue } from './decoder-queue.ts';
import type { Alertness, DecodingPolicy } from './decoding-policy.ts';
import { createHeldPictures, type HeldPicture } from './held-pictures.ts';
import { createPictureMoments } from './picture-moments.ts';

export interface AdaptiveDecoding {
  /** A picture of the watched stream. */
  coded(picture: CodedPicture, mediaMs: number): void;
  /** A picture came out of the decoder.
   *  @returns what was made of it, and when it was taken; undefined: nothing, it was not looked at */
  decoded(grey: Buffer): { readonly decision: GateDecision; readonly atMs: number } | undefined;
  /** Everything is decoded for the next seconds, beginning with what came since the last key picture.
   *  @returns when the decoder has come up with the camera
   *  @throws Failure transient `capture.no-picture` when it does not within two seconds */
  demand(): Promise<void>;
  report(): { readonly alertness: Alertness; readonly decoded: number };
}

export interface AdaptiveDecodingDeps {
  readonly decoder: () => Pick<RunningPipeline, 'push' | 'waiting'> | undefined;
  readonly policy: DecodingPolicy;
  readonly stage: Pick<MotionStage, 'suspects' | 'frame'>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** How often pictures are looked at where all are decoded. */
  readonly framesPerSecond: number;
}

/** Cameras send pictures when they like: one that is early by this much is the one that was meant. */
const EARLY_MS = 30;
/** In a quiet scene key pictures that come sooner behind the last one are not looked at. */
const LOOK_EVERY_MS = 900;
const CATCH_UP_MS = 2_000;

/** Between the watched stream and the detector: gives the decoder what the policy wants decoded, and the detector what
 *  comes out, in order, with the moment at which it was taken.
 *  Invariants
 *  1. The detector sees each moment once, and never an earlier one after a later one.
 *  2. A picture is given to the decoder only behind all it needs: those since its key picture.
 *  3. What a key picture makes suspicious is looked at from the key picture before it on: the detector is shown the same
 *     as if everything had been decoded, only later. */
export function createAdaptiveDecoding(deps: AdaptiveDecodingDeps): AdaptiveDecoding {
  const { policy, stage, clock } = deps;
  const everyMs = 1000 / deps.framesPerSecond;
  const held = createHeldPictures();
  const moments = createPictureMoments();
  const queue = createDecoderQueue(deps.decoder);
  /** All since the last key picture went to the decoder. */
  let isWhole = false;
  let judgedMs = Number.NEGATIVE_INFINITY;
  let dueMs = Number.NEGATIVE_INFINITY;
  /** The last key picture that went to the decoder. */
  let keyMs = Number.NEGATIVE_INFINITY;
  /** Waits for the picture that was taken at this moment, or a later one. */
  let catching: (PromiseWithResolvers<void> & { readonly untilMs: number }) | undefined;

  const decoding = () => policy.decoding(clock.monotonicMs());

  function give(picture: HeldPicture): void {
    if (picture.picture.sets) keyMs = picture.atMs;
    isWhole = (isWhole || picture.picture.sets !== undefined) && queue.give(picture, clock.monotonicMs());
  }

  /** A key picture. Some streams say that their decoder has to hold pictures back: alone they come out one too late. */
  function giveAlone(key: HeldPicture): void {
    const { missed } = queue;
    give(key);
    if (queue.missed > missed) policy.keysComeLate(clock.monotonicMs());
  }

  /** Decodes what came behind the last picture that was looked at, and what that needs. */
  function catchUp(): void {
    // A decoder that cannot follow would begin with the same group again and again, and nothing of it would be looked at.
    if (queue.isBehind()) return;
    queue.voidAll();
    for (const picture of held.since(judgedMs)) give(picture);
  }

  function coded(picture: CodedPicture, mediaMs: number): void {
    const { arrivedMs, reordered } = picture;
    const key = picture.sets !== undefined;
    const atMs = moments.of({ mediaMs, arrivedMs, reordered });
    policy.came({ key, reordered, atMs });
    const one = { picture, atMs };
    held.add(one);
    if (decoding() === 'all') {
      if (isWhole || key) give(one);
      else catchUp();
    } else if (key && atMs - keyMs >= LOOK_EVERY_MS) giveAlone(one);
    else isWhole = false;
  }

  function decoded(grey: Buffer) {
    const atMs = queue.out(clock.monotonicMs());
    if (catching && (queue.isEmpty() || (atMs ?? 0) >= catching.untilMs)) {
      catching.resolve();
      catching = undefined;
    }
    if (atMs === undefined || atMs <= judgedMs) return undefined;
    if (decoding() === 'all') {
      if (atMs < dueMs - EARLY_MS) return undefined;
    } else if (!policy.isSparing() && stage.suspects(grey)) {
      policy.suspected(atMs);
      catchUp();
      return undefined;
    }
    return judge(grey, atMs);
  }

  function judge(grey: Buffer, atMs: number) {
    judgedMs = atMs;
    held.forget(atMs);
    dueMs = (atMs - dueMs > everyMs ? atMs : Math.min(atMs, dueMs)) + everyMs;
    const decision = stage.frame(grey, atMs);
    policy.judged(decision, atMs);
    return { decision, atMs };
  }

  async function demand(): Promise<void> {
    policy.demanded(clock.monotonicMs());
    if (!isWhole) catchUp();
    const untilMs = queue.newestMs();
    if (untilMs === undefined) return;
    // Who asked before waits for no more than this.
    const before = catching;
    catching = { ...Promise.withResolvers<void>(), untilMs };
    if (before) void catching.promise.then(before.resolve);
    await within(clock, catching.promise, CATCH_UP_MS, () => {
      throw new Failure('transient', 'capture.no-picture', 'The decoder does not keep up with the camera');
    });
  }

  return {
    coded,
    decoded,
    demand,
    report: () => ({ alertness: policy.alertness(), decoded: queue.given }),
  };
}
