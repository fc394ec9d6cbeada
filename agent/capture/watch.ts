import type { CameraConfig, RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import type { createMotionDetector, Signature } from '../motion/motion.ts';
import { createClipWriter } from './clip-writer.ts';
import { createFragmentReader, type Fragment } from './fragment-reader.ts';
import { createFragmentRing } from './fragment-ring.ts';
import {
  type BusMessage,
  type Caps,
  type PipelineDeps,
  type RunningPipeline,
  runPipeline,
} from './gstreamer.ts';
import { createLookout } from './lookout.ts';
import { createMediaClock } from './media-clock.ts';
import type { CaptureTimings, Credentials, FromChild } from './messages.ts';
import { createPictureTap, type Picture } from './picture-tap.ts';
import { ENCODER, MAIN_PIPELINE, SHUTTER, SUB_PIPELINE } from './pipelines.ts';
import { createRecorder, type RecorderDeps } from './recorder.ts';
import { describeStreamError, isLoginRefusal, type StreamName, wordsOf } from './stream-error.ts';

export interface WatchDeps extends Pick<RecorderDeps, 'askPlace' | 'written' | 'abandoned' | 'paused'> {
  readonly camera: CameraConfig;
  readonly credentials: Credentials;
  readonly recording: RecordingConfig;
  readonly timings: CaptureTimings;
  readonly clock: Clock;
  /** Another one than the product's: `scripts/bench motion` looks over the detector's shoulder. */
  readonly createDetector?: typeof createMotionDetector;
  /** Something moved and started no recording: why. */
  suppressed?(signature: Signature): void;
  /** Called once: the camera cannot be watched any more, for this reason. */
  fail(detail: string, more?: FailingMore): void;
}

type FailingMore = Pick<Extract<FromChild, { type: 'failing' }>, 'refused' | 'words'>;

export interface Watch {
  start(): void;
  /** How it is; fails when a stream has been silent for too long. */
  heartbeat(): Extract<FromChild, { type: 'heartbeat' }>;
  /** Other settings of the same camera at the same addresses, from now on. */
  reconfigure(wish: { readonly camera: CameraConfig; readonly recording: RecordingConfig }): void;
  /** A picture of the sub-stream, not older than the question.
   *  @throws Failure transient `capture.no-picture` */
  snapshot(): Promise<Picture>;
  /** As of the recorder. */
  record(): Promise<string>;
  pause(): Promise<void>;
  resume(): void;
  /** Closes a running clip and reports it. */
  finish(): Promise<void>;
  /** Ends the pipelines. May block for a while with a camera that does not answer. */
  stop(): void;
}

/** More than the longest pre-roll needs at 12 Mbit/s. */
const RING_BYTES = 64 * 1024 * 1024;
/** A grey frame may be seen this much later than the fragment of the same moment. */
const RING_SLACK_MS = 3_000;
const keepMs = ({ preRollMs }: RecordingConfig) => preRollMs + RING_SLACK_MS;
const MAX_BOX_BYTES = 64 * 1024 * 1024;
/** A frame that lasts longer than this is a camera whose clock jumped. */
const LONGEST_FRAGMENT_MS = 15_000;
/** An error's text comes by another way than the end of the stream it causes, and a little later. */
const END_GRACE_MS = 300;

/** One camera: two pipelines, and what happens between them. */
export function createWatch(deps: WatchDeps): Watch {
  const { camera, credentials, timings, clock } = deps;
  const pipelines = new Map<StreamName, RunningPipeline>();
  const ring = createFragmentRing({ keepMs: keepMs(deps.recording), maxBytes: RING_BYTES });
  const mediaClock = createMediaClock();
  const recorder = createRecorder({ ...deps, ring, mediaClock, createWriter: createClipWriter });
  const lookout = createLookout({
    camera,
    clock,
    createDetector: deps.createDetector,
    motion: (atMs, cause) => recorder.motion(atMs, cause),
    recording: () => recorder.recording(),
    suppressed: (signature) => deps.suppressed?.(signature),
  });
  const tap = createPictureTap({
    cameraId: camera.id,
    clock,
    branch: {
      open: (open) => pipelines.get('sub')?.set(SHUTTER, 'drop', !open),
      quality: (quality) => pipelines.get('sub')?.set(ENCODER, 'quality', quality),
    },
  });
  const startedMs = clock.monotonicMs();
  const last: Record<StreamName, number | undefined> = { main: undefined, sub: undefined };
  const reader = createFragmentReader({
    maxBoxBytes: MAX_BOX_BYTES,
    onInit: (init, track) => recorder.init(init, track),
    onFragment,
  });
  let failed = false;

  function fail(detail: string, more?: FailingMore): void {
    if (failed) return;
    failed = true;
    deps.fail(detail, more);
  }

  function onFragment(fragment: Fragment): void {
    if (fragment.endMs - fragment.startMs > LONGEST_FRAGMENT_MS)
      return fail(`camera ${camera.id}: its time jumped; starting again`);
    last.main = fragment.arrivedMs;
    mediaClock.observe(fragment);
    ring.push(fragment);
    recorder.fragment(fragment);
  }

  function onGrey(frame: Buffer): void {
    const now = clock.monotonicMs();
    last.sub = now;
    lookout.frame(frame, now);
  }

  function run(
    stream: StreamName,
    launch: string,
    onBuffer: PipelineDeps['onBuffer'],
    onPicture?: PipelineDeps['onPicture'],
  ): void {
    let trouble: BusMessage | undefined;
    const credential = credentials[stream];
    const report = () => {
      if (!trouble) return fail(`camera ${camera.id}, ${stream} stream: the camera ended it`);
      fail(describeStreamError(camera.id, stream, trouble, credential !== null), {
        words: wordsOf(trouble),
        refused: isLoginRefusal(trouble) ? stream : undefined,
      });
    };
    const pipeline = runPipeline({
      launch,
      url: camera[stream],
      credential,
      onBuffer: (buffer, caps) =>
        guarded(`camera ${camera.id}, ${stream} stream`, () => onBuffer(buffer, caps)),
      onPicture,
      onEnd: () => setTimeout(report, END_GRACE_MS),
      onMessage: (message) => {
        if (message.type !== 'error' || trouble) return;
        trouble = message;
        report();
      },
    });
    pipelines.set(stream, pipeline);
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

  function checkSilence(now: number): void {
    for (const stream of ['main', 'sub'] as const) {
      const seen = last[stream];
      const silentMs = now - (seen ?? startedMs);
      if (silentMs < (seen === undefined ? timings.connectMs : timings.giveUpMs)) continue;
      const what = seen === undefined ? 'no picture came' : 'the picture stands still';
      fail(`camera ${camera.id}, ${stream} stream: ${what} for ${Math.round(silentMs / 1000)} s`);
    }
  }

  return {
    start: () =>
      guarded(`camera ${camera.id}`, () => {
        run('main', MAIN_PIPELINE, (buffer) => reader.push(buffer, clock.monotonicMs()));
        run('sub', SUB_PIPELINE, onGrey, (jpeg, caps: Caps) => tap.take(jpeg, caps));
      }),
    heartbeat: () => {
      const now = clock.monotonicMs();
      checkSilence(now);
      const age = (seen: number | undefined) => (seen === undefined ? null : Math.round(now - seen));
      return {
        type: 'heartbeat',
        lastFragmentAgeMs: age(last.main),
        lastFrameAgeMs: age(last.sub),
        recording: recorder.recording(),
        unrecordedMs: recorder.unrecordedMs(),
        suppressed: lookout.counts(),
      };
    },
    reconfigure: (wish) => {
      ring.keep(keepMs(wish.recording));
      recorder.reconfigure(wish.recording);
      lookout.reconfigure(wish.camera);
    },
    snapshot: () => tap.next(),
    record: () => recorder.record(clock.monotonicMs()),
    pause: () => recorder.pause(),
    resume: () => recorder.resume(),
    finish: () => recorder.finish(),
    stop: () => {
      for (const pipeline of pipelines.values()) pipeline.stop();
    },
  };
}
