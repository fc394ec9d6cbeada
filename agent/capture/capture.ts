import type { CameraConfig, CameraCredential, RecordingConfig } from '@dachawatch/contracts';
import type { BackoffPolicy } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Log } from '../kernel/log.ts';
import type { WrittenClip } from '../ledger/ledger.ts';
import type { Cause, SuppressedRecord } from '../motion/motion.ts';
import { createCameraDoor } from './camera-door.ts';
import { createCameraFleet } from './camera-fleet.ts';
import { createLoginPatience } from './login-patience.ts';
import type { CaptureTimings } from './messages.ts';
import { orAborted } from './or-aborted.ts';

export type { CaptureTimings } from './messages.ts';
export { recoverTornClip, type RecoveredClip } from './recover.ts';

export type CameraState = 'starting' | 'live' | 'stalled' | 'down';

export interface CameraStatus {
  readonly cameraId: string;
  readonly title: string;
  readonly state: CameraState;
  /** Wall time since when, Unix milliseconds. */
  readonly sinceMs: number;
  /** What went wrong, for a person; null when live. While starting: why it had to start again. */
  readonly detail: string | null;
  readonly pid: number | null;
  /** Age of the newest fragment and grey frame when asked, milliseconds. */
  readonly lastFragmentAgeMs: number | null;
  readonly lastFrameAgeMs: number | null;
  readonly recording: boolean;
  /** How long something has moved that no clip holds; null: nothing moves, it is recorded, or recording is paused. */
  readonly unrecordedMs: number | null;
  /** Suppressed triggers since start, by reason. */
  readonly suppressed: Readonly<Record<string, number>>;
}

/** Who keeps the clips. The capture room asks it for a place before it writes, and reports what came of it. */
export interface ClipKeeper {
  /** @returns where to write, or undefined when nothing may be recorded now */
  open(request: {
    cameraId: string;
    triggeredMs: number;
    /** The zone or line that it moved in. */
    cause: Cause;
  }): { clipId: string; partFile: string } | undefined;
  written(clipId: string, clip: WrittenClip): void;
  /** The writer failed or died; the part file may hold something. */
  abandoned(clipId: string, reason: string): Promise<void>;
}

/** Who keeps why something did not start a recording. */
export interface SuppressedKeeper {
  keep(cameraId: string, record: SuppressedRecord): void;
  /** Since start, by reason. */
  count(cameraId: string, totals: Readonly<Record<string, number>>): void;
}

export interface CaptureCamera {
  readonly config: CameraConfig;
  readonly credential: CameraCredential | undefined;
  /** Where the sub-stream has a login of its own. */
  readonly subCredential?: CameraCredential | undefined;
}

/** A picture of the sub-stream. */
export interface Snapshot {
  /** At most 90,000 bytes. */
  readonly jpeg: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** When it came, wall time, Unix milliseconds. */
  readonly takenMs: number;
}

export interface CaptureDeps {
  readonly cameras: readonly CaptureCamera[];
  readonly recording: RecordingConfig;
  readonly keeper: ClipKeeper;
  /** Nobody: suppressed triggers are only counted. */
  readonly suppressed?: SuppressedKeeper;
  /** Who is told that a camera's key frames are too far apart. */
  readonly conditions?: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The children's whole environment. GStreamer finds its plugin cache by HOME or GST_REGISTRY; without either it
   *  asks the user database. */
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
  apply(wish: { readonly cameras: readonly CaptureCamera[]; readonly recording: RecordingConfig }): void;
  /** Closes running clips and begins no others; pictures keep coming and the ring stays filled. Resolves when every
   *  clip is sealed or given up.
   *  @throws Failure transient `capture.deadline` when `signal` is aborted first; it is paused all the same */
  pause(signal: AbortSignal): Promise<void>;
  resume(): void;
  /** A picture of the sub-stream as it is now. Who asks while one is on its way gets the same.
   *  @throws Failure transient `capture.no-picture` | `capture.deadline`, rejected `capture.unknown-camera` */
  snapshot(cameraId: string, signal: AbortSignal): Promise<Snapshot>;
  /** Begins a clip although nothing moves, pre-roll included; a clip that runs counts.
   *  @returns the clip's id, when its place is known
   *  @throws Failure as `snapshot`, transient `capture.paused`, exhausted `capture.no-room` */
  recordNow(cameraId: string, signal: AbortSignal): Promise<string>;
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
  const door = createCameraDoor({ patience, answerMs: patient.connectMs });
  const fleet = createCameraFleet({ ...deps, environment, timings: patient, backoff, door });
  fleet.apply({ cameras, recording });
  return {
    name: 'capture',
    start: async () => fleet.start(),
    stop: () => fleet.stop(),
    apply: (wish) => fleet.apply(wish),
    pause: (signal) => orAborted(fleet.pause(), signal, 'closing the clips'),
    resume: () => fleet.resume(),
    snapshot: async (cameraId, signal) =>
      await orAborted(fleet.camera(cameraId).snapshot(), signal, `the picture of camera ${cameraId}`),
    recordNow: async (cameraId, signal) =>
      await orAborted(fleet.camera(cameraId).record(), signal, `the clip of camera ${cameraId}`),
    status: () => fleet.status(),
  };
}
