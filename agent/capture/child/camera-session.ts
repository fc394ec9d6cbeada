import type { CameraConfig, RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { createMotionDetector, SuppressedRecord } from '../../motion/motion.ts';
import { openCameraStream } from '../rtsp/camera-stream.ts';
import type { CaptureTimings, Credentials, FromChild } from '../messages.ts';
import type { Picture } from './pictures/picture-tap.ts';
import { createRecordingStage, type RecordingStageDeps } from './recording-stage.ts';
import { createStreamHealth, type StreamHealth } from './stream-health.ts';
import { describe, describeDecoderError, type StreamName, wordsOf } from '../stream-error.ts';
import { createWatchingStage } from './watching-stage.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';
import type { RtspStream } from '../rtsp/stream.ts';

export interface CameraSessionDeps
  extends Pick<RecordingStageDeps, 'askSlot' | 'written' | 'abandoned' | 'paused'> {
  readonly camera: CameraConfig;
  readonly credentials: Credentials;
  readonly recording: RecordingConfig;
  readonly timings: CaptureTimings;
  readonly clock: Clock;
  /** Another one than the product's: `scripts/bench motion` looks over the detector's shoulder. */
  readonly createDetector?: typeof createMotionDetector;
  /** Something moved and started no recording: why. */
  suppressed?(record: SuppressedRecord): void;
  /** The small picture of a clip that is being written, or just was.
   *  @param jpeg base64 */
  thumbnail?(clipId: string, jpeg: string): void;
  /** Called once: something of both streams can be used. */
  shows?(): void;
  /** Called once: the camera cannot be watched any more, for this reason. */
  fail(detail: string, more?: FailingMore): void;
}

type FailingMore = Pick<Extract<FromChild, { type: 'failing' }>, 'absence' | 'refused' | 'words'>;

export interface CameraSession {
  start(): void;
  /** How it is; fails when a stream has been silent for too long. */
  heartbeat(): Extract<FromChild, { type: 'heartbeat' }>;
  /** Other settings of the same camera at the same addresses, from now on. */
  reconfigure(settings: { readonly camera: CameraConfig; readonly recording: RecordingConfig }): void;
  /** Decodes only key pictures of the sub-stream, or as the scene asks for. */
  spare(sparing: boolean): void;
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

/** One camera: two streams, a decoder, and what happens between them. */
export function createCameraSession(deps: CameraSessionDeps): CameraSession {
  const { camera, credentials, timings, clock } = deps;
  const streams: RtspStream[] = [];
  const health = createStreamHealth({
    cameraId: camera.id,
    timings,
    clock,
    onBothUsable: () => deps.shows?.(),
  });
  const recording = createRecordingStage({
    ...deps,
    begun: (clipId) => watching.begun(clipId),
    onFragment: ({ arrivedMs, startMs, info }) => {
      health.usable('main', arrivedMs);
      if (info.startsWithKeyFrame) health.keyFrame(startMs);
    },
  });
  const { recorder } = recording;
  const watch = createWatch((detail, more) => deps.fail(detail, more));
  const watching = createWatchingStage({
    camera,
    clock,
    createDetector: deps.createDetector,
    motion: (atMs, cause) => recorder.motion(atMs, cause),
    recording: () => recorder.recording(),
    suppressed: (record) => deps.suppressed?.(record),
    thumbnail: (clipId, jpeg) => deps.thumbnail?.(clipId, jpeg),
    onDecoded: (look) =>
      watch.guarded(`camera ${camera.id}, sub stream`, () => {
        health.usable('sub', clock.monotonicMs());
        look();
      }),
    onError: (message) =>
      watch.fail(describeDecoderError(camera.id, 'sub', message), {
        absence: 'unsupported',
        words: wordsOf(message),
      }),
  });

  function receive(stream: StreamName, onUnit: (unit: StreamUnit, now: number) => void): void {
    streams.push(openWatched(stream, { camera, credentials, clock, health, watch, onUnit }));
  }

  return {
    start: () =>
      watch.guarded(`camera ${camera.id}`, () => {
        receive('main', (unit, now) => recording.unit(unit, now));
        receive('sub', (unit, now) => watching.unit(unit, now));
      }),
    heartbeat: () => {
      const now = clock.monotonicMs();
      const trouble = health.trouble(now);
      if (trouble !== undefined) watch.fail(trouble.what, { absence: trouble.absence });
      recorder.tick();
      return {
        type: 'heartbeat',
        ...health.report(now, recording.isOverrun()),
        recording: recorder.recording(),
        unrecordedMs: recorder.unrecordedMs(),
        ...watching.report(),
      };
    },
    reconfigure: (settings) => {
      recording.reconfigure(settings.recording);
      watching.reconfigure(settings.camera);
    },
    spare: (sparing) => watching.spare(sparing),
    snapshot: () => watching.snapshot(),
    record: () => recorder.record(clock.monotonicMs()),
    pause: () => recorder.pause(),
    resume: () => recorder.resume(),
    finish: () => {
      watch.guarded(`camera ${camera.id}`, () => recording.flush());
      return recorder.finish();
    },
    stop: () => {
      for (const stream of streams) stream.close();
      watching.stop();
    },
  };
}

/** Ends at its first failure. */
interface Watch {
  /** Only the first one counts. */
  fail(detail: string, more?: FailingMore): void;
  /** What went wrong in a way that says so ends the watch; a bug ends the process. Nothing is done any more behind the
   *  end. */
  guarded(where: string, act: () => void): void;
}

function createWatch(onFailure: (detail: string, more?: FailingMore) => void): Watch {
  let failed = false;

  function fail(detail: string, more?: FailingMore): void {
    if (failed) return;
    failed = true;
    onFailure(detail, more);
  }

  return {
    fail,
    guarded: (where, act) => {
      if (failed) return;
      try {
        act();
      } catch (error) {
        if (!(error instanceof Failure) || error.kind === 'bug') throw error;
        fail(`${where}: ${error.message}`, { absence: 'unsupported' });
      }
    },
  };
}

/** One stream of the camera; a unit comes with the moment of the packet that completed it. */
function openWatched(
  stream: StreamName,
  deps: Pick<CameraSessionDeps, 'camera' | 'credentials' | 'clock'> & {
    readonly health: StreamHealth;
    readonly watch: Watch;
    onUnit(unit: StreamUnit, now: number): void;
  },
): RtspStream {
  const { camera, clock, health, watch } = deps;
  let now = clock.monotonicMs();
  return openCameraStream({
    address: camera[stream],
    credential: deps.credentials[stream],
    clock,
    onPacket: () => {
      now = clock.monotonicMs();
      health.packet(stream, now);
    },
    onUnit: (unit) => watch.guarded(`camera ${camera.id}, ${stream} stream`, () => deps.onUnit(unit, now)),
    onEnd: ({ what, absence, refused }) =>
      watch.fail(describe(camera.id, stream, what), { absence, refused: refused ? stream : undefined }),
  });
}
