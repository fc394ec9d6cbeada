import type { CameraConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { FromChild } from '../messages.ts';
import type { Encoding } from '../packing/coding.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';
import { createAdaptiveDecoding } from './decoding/adaptive-decoding.ts';
import { createDecodingPolicy } from './decoding/decoding-policy.ts';
import { createWatchedPictures } from './decoding/watched-pictures.ts';
import { type BusMessage, type RunningPipeline, runPipeline } from './gstreamer.ts';
import { createMotionStage, type MotionStageDeps } from './motion-stage.ts';
import type { Picture } from './pictures/picture-tap.ts';
import { createSessionPictures } from './pictures/session-pictures.ts';
import { BLIND_SENTENCES, createSight } from '../../motion/motion.ts';
import { decoderOf, GREY } from './pipelines.ts';

export interface WatchingStageDeps extends MotionStageDeps {
  readonly clock: Clock;
  /** A picture came out of the decoder; `look` looks at it. */
  onDecoded(look: () => void): void;
  onError(message: BusMessage): void;
  /** @param jpeg base64 */
  thumbnail(clipId: string, jpeg: string): void;
}

export interface WatchingStage {
  /** The first one starts the decoder.
   *  @param now monotonic milliseconds
   *  @throws Failure rejected `capture.gstreamer` */
  unit(unit: StreamUnit, now: number): void;
  /** A clip is being written from now on: it gets a small picture. */
  begun(clipId: string): void;
  /** A picture for people, not older than the question.
   *  @throws Failure transient `capture.no-picture` */
  snapshot(): Promise<Picture>;
  reconfigure(camera: CameraConfig): void;
  /** As of the decoding policy. */
  spare(sparing: boolean): void;
  report(): Pick<Extract<FromChild, { type: 'heartbeat' }>, 'blind' | 'suppressed' | 'alertness' | 'decoded'>;
  stop(): void;
}

/** NAL units of the sub stream in; motion and pictures for people out. In between the decoder. */
export function createWatchingStage(deps: WatchingStageDeps): WatchingStage {
  const { camera, clock } = deps;
  let decoder: RunningPipeline | undefined;
  const motion = createMotionStage(deps);
  const sight = createSight(GREY);
  const policy = createDecodingPolicy();
  const decoding = createAdaptiveDecoding({
    decoder: () => decoder,
    policy,
    stage: motion,
    clock,
    framesPerSecond: GREY.framesPerSecond,
  });
  const watched = createWatchedPictures((picture, mediaMs) => decoding.coded(picture, mediaMs));
  const pictures = createSessionPictures({
    cameraId: camera.id,
    clock,
    decoder: () => decoder,
    thumbnail: (clipId, jpeg) => deps.thumbnail(clipId, jpeg),
  });

  function look(grey: Buffer): void {
    const made = decoding.decoded(grey);
    if (!made) return;
    sight.look(grey, made.atMs);
    pictures.frame(made.decision, made.atMs);
  }

  function startDecoder(encoding: Encoding): RunningPipeline {
    return runPipeline({
      launch: decoderOf(encoding),
      onBuffer: (grey) => deps.onDecoded(() => look(grey)),
      onPicture: (jpeg, caps) => pictures.tap.take(jpeg, caps),
      onThumbnail: (jpeg, caps) => pictures.thumbnailTap.take(jpeg, caps),
      onMessage: (message) => {
        if (message.type === 'error') deps.onError(message);
      },
    });
  }

  return {
    unit: (unit, now) => {
      decoder ??= startDecoder(unit.encoding);
      watched.push(unit, now);
    },
    begun: (clipId) => pictures.begun(clipId),
    snapshot: async () => {
      // What the decoder is only now given of the last seconds was seen before the question.
      await decoding.demand();
      return pictures.tap.next();
    },
    reconfigure: (camera) => {
      motion.reconfigure(camera);
      // A model that is new has to learn the scene.
      policy.demanded(clock.monotonicMs());
    },
    spare: (sparing) => policy.spare(sparing),
    report: () => {
      const why = sight.blindness();
      const blind = why === undefined ? null : BLIND_SENTENCES[why];
      return { blind, suppressed: motion.counts(), ...decoding.report() };
    },
    stop: () => decoder?.stop(),
  };
}
