import type { CameraConfig, RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { createMotionDetector, SuppressedRecord } from '../../motion/motion.ts';
import { createClipWriter } from './clip-writer.ts';
import { createCameraTime } from '../packing/camera-time.ts';
import { openCameraStream } from '../rtsp/camera-stream.ts';
import { createPictureCutter } from '../packing/coded-pictures.ts';
import type { Fragment } from '../mp4/fragment.ts';
import { createFragmentRing } from './fragment-ring.ts';
import { createFragmenter } from '../packing/fragmenter.ts';
import { type RunningPipeline, runPipeline } from './gstreamer.ts';
import { createKeyFrameAdvice } from './key-frame-advice.ts';
import { createMotionStage } from './motion-stage.ts';
import { createMediaClock } from './media-clock.ts';
import type { CaptureTimings, Credentials, FromChild } from '../messages.ts';
import { createPictureTap, type Picture } from './picture-tap.ts';
import { DECODER, ENCODER, SHUTTER } from './pipelines.ts';
import { createRecorder, type RecorderDeps } from './recorder.ts';
import { describe, describeDecoderError, type StreamName, wordsOf } from '../stream-error.ts';
import { createWatchedPictures } from './watched-pictures.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';
import type { RtspStream } from '../rtsp/stream.ts';

export interface CameraSessionDeps
  extends Pick<RecorderDeps, 'askPlace' | 'written' | 'abandoned' | 'paused'> {
  readonly camera: CameraConfig;
  readonly credentials: Credentials;
  readonly recording: RecordingConfig;
  readonly timings: CaptureTimings;
  readonly clock: Clock;
  /** Another one than the product's: `scripts/bench motion` looks over the detector's shoulder. */
  readonly createDetector?: typeof createMotionDetector;
  /** Something moved and started no recording: why. */
  suppressed?(record: SuppressedRecord): void;
  /** Called once: the camera cannot be watched any more, for this reason. */
  fail(detail: string, more?: FailingMore): void;
}

type FailingMore = Pick<Extract<FromChild, { type: 'failing' }>, 'refused' | 'words'>;

export interface CameraSession {
  start(): void;
  /** How it is; fails when a stream has been silent for too long. */
  heartbeat(): Extract<FromChild, { type: 'heartbeat' }>;
  /** Other settings of the same camera at the same addresses, from now on. */
  reconfigure(settings: { readonly camera: CameraConfig; readonly recording: RecordingConfig }): void;
  /** A picture of the sub-stream, not older than the question.
   *  @throws Failure transient `capture.no-picture` */
  snapshot(): Promise<Picture>;
  /** As of the recorder. */
  record(): Promise<string>;
  pause(): Promise<void>;
  resume(): void;
  /** Closes a running clip and reports it. */
  finish(): Promise<void>;
  /** Ends the connections and the decoder. */
  stop(): void;
}

/** More than the longest pre-roll needs at 12 Mbit/s. */
const RING_BYTES = 64 * 1024 * 1024;
/** A minute between two key frames at 16 Mbit/s. */
const GROUP_BYTES = 128 * 1024 * 1024;
/** A grey frame may be seen this much later than the fragment of the same moment. */
const RING_SLACK_MS = 3_000;
const keepMs = ({ preRollMs }: RecordingConfig) => preRollMs + RING_SLACK_MS;

/** One camera: two streams, a decoder, and what happens between them. */
export function createCameraSession(deps: CameraSessionDeps): CameraSession {
  const { camera, credentials, timings, clock } = deps;
  let decoder: RunningPipeline | undefined;
  const streams: RtspStream[] = [];
  const ring = createFragmentRing({
    keepMs: keepMs(deps.recording),
    maxBytes: RING_BYTES,
    maxGroupBytes: GROUP_BYTES,
  });
  const mediaClock = createMediaClock();
  const recorder = createRecorder({ ...deps, ring, mediaClock, createWriter: createClipWriter });
  const motionStage = createMotionStage({
    camera,
    clock,
    createDetector: deps.createDetector,
    motion: (atMs, cause) => recorder.motion(atMs, cause),
    recording: () => recorder.recording(),
    suppressed: (record) => deps.suppressed?.(record),
  });
  const tap = createPictureTap({
    cameraId: camera.id,
    clock,
    branch: {
      open: (open) => decoder?.set(SHUTTER, 'drop', !open),
      quality: (quality) => decoder?.set(ENCODER, 'quality', quality),
    },
  });
  const startedMs = clock.monotonicMs();
  const lastPacket: Record<StreamName, number | undefined> = { main: undefined, sub: undefined };
  const lastUsable: Record<StreamName, number | undefined> = { main: undefined, sub: undefined };
  const advice = createKeyFrameAdvice(camera.id);
  const fragmenter = createFragmenter({ time: createCameraTime(), onFragment });
  const cutter = createPictureCutter({
    onPicture: (picture) => fragmenter.push(picture, clock.monotonicMs()),
  });
  let failed = false;

  function fail(detail: string, more?: FailingMore): void {
    if (failed) return;
    failed = true;
    deps.fail(detail, more);
  }

  function onPacket(stream: StreamName, now: number): void {
    lastPacket[stream] = now;
    advice.packet(stream, now);
  }

  function onUsable(stream: StreamName, now: number): void {
    lastUsable[stream] = now;
    advice.usable(stream);
  }

  function receive(stream: StreamName, onUnit: (unit: StreamUnit, now: number) => void): void {
    let now = clock.monotonicMs();
    const opened = openCameraStream({
      address: camera[stream],
      credential: credentials[stream],
      clock,
      onPacket: () => {
        now = clock.monotonicMs();
        onPacket(stream, now);
      },
      onUnit: (unit) => guarded(`camera ${camera.id}, ${stream} stream`, () => onUnit(unit, now)),
      onEnd: ({ what, refused }) =>
        fail(describe(camera.id, stream, what), {
          refused: refused ? stream : undefined,
        }),
    });
    streams.push(opened);
  }

  function onFragment(fragment: Fragment): void {
    onUsable('main', fragment.arrivedMs);
    if (fragment.info.startsWithKeyFrame) advice.keyFrame(fragment.startMs);
    mediaClock.observe(fragment);
    ring.push(fragment);
    recorder.fragment(fragment);
  }

  function onGrey(frame: Buffer): void {
    const now = clock.monotonicMs();
    onUsable('sub', now);
    motionStage.frame(frame, now);
  }

  function decode(): RunningPipeline {
    return runPipeline({
      launch: DECODER,
      onBuffer: (frame) => guarded(`camera ${camera.id}, sub stream`, () => onGrey(frame)),
      onPicture: (jpeg, caps) => tap.take(jpeg, caps),
      onMessage: (message) => {
        if (message.type === 'error')
          fail(describeDecoderError(camera.id, 'sub', message), { words: wordsOf(message) });
      },
    });
  }

  /** What went wrong in a way that says so ends the watch; a bug ends the process. */
  function guarded(where: string, act: () => void): void {
    if (failed) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
      fail(`${where}: ${error.message}`);
    }
  }

  function silentMs(stream: StreamName, now: number): number {
    return now - (lastPacket[stream] ?? startedMs);
  }

  function checkSilence(now: number): void {
    for (const stream of ['main', 'sub'] as const) {
      const never = lastPacket[stream] === undefined;
      const silent = silentMs(stream, now);
      const said = (what: string, ms: number) =>
        fail(`camera ${camera.id}, ${stream} stream: ${what} for ${Math.round(ms / 1000)} s`);
      if (silent >= (never ? timings.connectMs : timings.giveUpMs))
        said(never ? 'no picture came' : 'the picture stands still', silent);
      const waited = advice.waitsMs(stream, now);
      if (waited >= timings.keyFrameMs) said('no key frame that can be decoded came', waited);
    }
  }

  return {
    start: () =>
      guarded(`camera ${camera.id}`, () => {
        decoder = decode();
        const watched = createWatchedPictures(() => decoder);
        receive('main', (unit, now) => cutter.push(unit, now));
        receive('sub', (unit, now) => watched.push(unit, now));
      }),
    heartbeat: () => {
      const now = clock.monotonicMs();
      checkSilence(now);
      recorder.tick();
      const age = (seen: number | undefined) => (seen === undefined ? null : Math.round(now - seen));
      return {
        type: 'heartbeat',
        lastFragmentAgeMs: age(lastUsable.main),
        lastFrameAgeMs: age(lastUsable.sub),
        silentMs: Math.round(Math.max(silentMs('main', now), silentMs('sub', now))),
        keyFrames: advice.sentence(now, ring.overrun),
        recording: recorder.recording(),
        unrecordedMs: recorder.unrecordedMs(),
        suppressed: motionStage.counts(),
      };
    },
    reconfigure: (settings) => {
      ring.keep(keepMs(settings.recording));
      recorder.reconfigure(settings.recording);
      motionStage.reconfigure(settings.camera);
    },
    snapshot: () => tap.next(),
    record: () => recorder.record(clock.monotonicMs()),
    pause: () => recorder.pause(),
    resume: () => recorder.resume(),
    finish: () => {
      guarded(`camera ${camera.id}`, () => {
        cutter.flush();
        fragmenter.flush(clock.monotonicMs());
      });
      return recorder.finish();
    },
    stop: () => {
      for (const stream of streams) stream.close();
      decoder?.stop();
    },
  };
}
