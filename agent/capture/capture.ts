import type { CameraConfig, CameraCredential, RecordingConfig } from '@dachawatch/contracts';
import type { BackoffPolicy } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { WrittenClip } from '../ledger/ledger.ts';
import type { Cause, Signature } from '../motion/motion.ts';
import { createCameraProcess } from './camera-process.ts';
import type { CaptureTimings } from './messages.ts';

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
  keep(cameraId: string, signature: Signature): void;
  /** Since start, by reason. */
  count(cameraId: string, totals: Readonly<Record<string, number>>): void;
}

export interface CaptureDeps {
  readonly cameras: readonly {
    readonly config: CameraConfig;
    readonly credential: CameraCredential | undefined;
  }[];
  readonly recording: RecordingConfig;
  readonly keeper: ClipKeeper;
  /** Nobody: suppressed triggers are only counted. */
  readonly suppressed?: SuppressedKeeper;
  readonly clock: Clock;
  readonly log: Log;
  /** The children's whole environment. GStreamer finds its plugin cache by HOME or GST_REGISTRY; without either it
   *  asks the user database. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timings?: Partial<CaptureTimings>;
  readonly backoff?: BackoffPolicy;
}

/** All cameras: one child process each, forked again with backoff when it dies or stalls. */
export interface Capture {
  readonly name: string;
  start(): Promise<void>;
  /** Ends running clips early, seals them, and ends the children. */
  stop(): Promise<void>;
  status(): CameraStatus[];
}

const TIMINGS: CaptureTimings = {
  heartbeatMs: 1_000,
  connectMs: 15_000,
  stalledMs: 5_000,
  giveUpMs: 10_000,
  killMs: 20_000,
  stopMs: 8_000,
};
const BACKOFF: BackoffPolicy = { minMs: 1_000, maxMs: 30_000 };

export function createCapture(deps: CaptureDeps): Capture {
  const { cameras, environment = {}, timings, backoff = BACKOFF } = deps;
  const processes = cameras.map(({ config, credential }) =>
    createCameraProcess({
      ...deps,
      camera: config,
      credential,
      environment,
      timings: { ...TIMINGS, ...timings },
      backoff,
    }),
  );
  return {
    name: 'capture',
    start: async () => {
      for (const process of processes) process.start();
    },
    stop: async () => {
      await Promise.all(processes.map((process) => process.stop()));
    },
    status: () => processes.map((process) => process.status()),
  };
}
