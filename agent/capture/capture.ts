import type { RecordingConfig } from '@dachawatch/contracts';
import type { BackoffPolicy } from '../kernel/waiting/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Log } from '../kernel/log.ts';
import type { SuppressedStore } from '../motion/motion.ts';
import type { CameraCheck } from './check/check-camera.ts';
import { createCameraProbe } from './supervision/camera-probe.ts';
import { createCameraFleet } from './supervision/camera-fleet.ts';
import { compileChildCode } from './supervision/child-code.ts';
import type { CameraStatus } from './supervision/camera-status.ts';
import type { ClipStore } from './supervision/clip-broker.ts';
import { createLoginPatience } from './supervision/login-patience.ts';
import type { CaptureTimings } from './messages.ts';
import { orAborted } from '../kernel/waiting/deadline.ts';
import { tookTooLong } from './took-too-long.ts';
import type { Snapshot } from './supervision/picture.ts';
import type { CaptureCamera } from './supervision/settings-change.ts';

export type { CameraCheck } from './check/check-camera.ts';
export { type CameraState, isWithoutPicture } from './supervision/camera-state.ts';
export type { CameraStatus } from './supervision/camera-status.ts';
export type { ClipStore } from './supervision/clip-broker.ts';
export type { CaptureTimings } from './messages.ts';
export { isJpeg, type Snapshot } from './supervision/picture.ts';
export { recoverTornClip, type RecoveredClip } from './recovery/recover.ts';
export type { CaptureCamera } from './supervision/settings-change.ts';

export interface CaptureDeps {
  readonly cameras: readonly CaptureCamera[];
  readonly recording: RecordingConfig;
  readonly store: ClipStore;
  /** Nobody: suppressed triggers are only counted. */
  readonly suppressed?: Pick<SuppressedStore, 'keep' | 'count'>;
  /** Who is told that a camera's key frames are too far apart. */
  readonly conditions?: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The children's whole environment. GStreamer finds its plugin cache by HOME or GST_REGISTRY; without either it
   *  asks the user database. With NODE_COMPILE_CACHE a child needs 15 MB less. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timings?: Partial<CaptureTimings>;
  readonly backoff?: BackoffPolicy;
  /** Where is kept which logins were refused, so that a restart does not try them at once. */
  readonly loginsFile?: string;
  /** How long a refused login is not tried again, step by step. Milliseconds. */
  readonly loginWaitsMs?: readonly number[];
}

/** All cameras: one child process each, forked again with backoff when it dies or stalls. */
export interface Capture {
  readonly name: string;
  start(): Promise<void>;
  /** Ends running clips early, seals them, and ends the children. */
  stop(): Promise<void>;
  /** Makes it so: new cameras start, those that are gone end in good order, changed ones change; what did not change
   *  is not disturbed. Returns at once, the rest follows; the last call wins. */
  apply(settings: { readonly cameras: readonly CaptureCamera[]; readonly recording: RecordingConfig }): void;
  /** Closes running clips and begins no others; pictures keep coming and the ring stays filled. Resolves when every
   *  clip is sealed or given up.
   *  @throws Failure transient `capture.deadline` when `signal` is aborted first; it is paused all the same */
  pause(signal: AbortSignal): Promise<void>;
  resume(): void;
  /** Decodes only the key pictures of the sub-streams, whatever moves, until it is told otherwise: half the work when
   *  something moves, and who comes is noticed later. Recording goes on. */
  spare(sparing: boolean): void;
  /** A picture of the sub-stream as it is now. Who asks while one is on its way gets the same.
   *  @throws Failure transient `capture.no-picture` | `capture.deadline`, rejected `capture.unknown-camera` */
  snapshot(cameraId: string, signal: AbortSignal): Promise<Snapshot>;
  /** Begins a clip although nothing moves, pre-roll included; a clip that runs counts.
   *  @returns the clip's id, when its place is known
   *  @throws Failure as `snapshot`, transient `capture.paused`, exhausted `capture.no-room` */
  recordNow(cameraId: string, signal: AbortSignal): Promise<string>;
  /** Watches a camera's streams for ten seconds, beside the recording, and says what they are and what to set in the
   *  camera. Who asks while one is on its way gets the same.
   *  @throws Failure transient `capture.unwatchable` | `capture.deadline`, rejected `capture.unknown-camera` */
  check(cameraId: string, signal: AbortSignal): Promise<CameraCheck>;
  status(): CameraStatus[];
}

const TIMINGS: CaptureTimings = {
  heartbeatMs: 1_000,
  connectMs: 15_000,
  keyFrameMs: 150_000,
  stalledMs: 5_000,
  giveUpMs: 10_000,
  killMs: 20_000,
  stopMs: 8_000,
};
const BACKOFF: BackoffPolicy = { minMs: 1_000, maxMs: 30_000 };

export function createCapture(deps: CaptureDeps): Capture {
  const { cameras, recording, environment = {}, timings, backoff = BACKOFF } = deps;
  const patient = { ...TIMINGS, ...timings };
  const patience = createLoginPatience({ ...deps, file: deps.loginsFile, waitsMs: deps.loginWaitsMs });
  const probe = createCameraProbe({ patience, answerMs: patient.connectMs });
  const code = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const fleet = createCameraFleet({
    ...deps,
    environment,
    timings: patient,
    backoff,
    probe,
    ready: code.promise,
  });
  fleet.apply({ cameras, recording });
  return {
    name: 'capture',
    start: async () => {
      void compileChildCode(environment, stopping.signal).then(() => code.resolve());
      fleet.start();
    },
    stop: () => {
      stopping.abort();
      code.resolve();
      return fleet.stop();
    },
    apply: (settings) => fleet.apply(settings),
    pause: (signal) => orAborted(fleet.pause(), signal, tookTooLong('closing the clips')),
    resume: () => fleet.resume(),
    spare: (sparing) => fleet.spare(sparing),
    snapshot: async (cameraId, signal) =>
      await orAborted(
        fleet.camera(cameraId).snapshot(),
        signal,
        tookTooLong(`the picture of camera ${cameraId}`),
      ),
    recordNow: async (cameraId, signal) =>
      await orAborted(fleet.camera(cameraId).record(), signal, tookTooLong(`the clip of camera ${cameraId}`)),
    check: async (cameraId, signal) =>
      await orAborted(fleet.camera(cameraId).check(), signal, tookTooLong(`the check of camera ${cameraId}`)),
    status: () => fleet.status(),
  };
}
