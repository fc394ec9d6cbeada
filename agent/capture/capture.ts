import type { CameraConfig, CameraCredential, RecordingConfig } from '@dachawatch/contracts';
import type { WrittenClip } from '../ledger/ledger.ts';

export type CameraState = 'starting' | 'live' | 'stalled' | 'down';

export interface CameraStatus {
  readonly cameraId: string;
  readonly title: string;
  readonly state: CameraState;
  /** Wall time since when, Unix milliseconds. */
  readonly sinceMs: number;
  /** What went wrong, for a person; null when live. */
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
  open(request: { cameraId: string; triggeredMs: number }): { clipId: string; partFile: string } | undefined;
  written(clipId: string, clip: WrittenClip): void;
  /** The writer failed or died; the part file may hold something. */
  abandoned(clipId: string, reason: string): Promise<void>;
}

export interface CaptureDeps {
  readonly cameras: readonly {
    readonly config: CameraConfig;
    readonly credential: CameraCredential | undefined;
  }[];
  readonly recording: RecordingConfig;
  readonly keeper: ClipKeeper;
}

/** All cameras: one child process each, forked again with backoff when it dies or stalls. */
export interface Capture {
  readonly name: string;
  start(): Promise<void>;
  /** Ends running clips early, seals them, and ends the children. */
  stop(): Promise<void>;
  status(): CameraStatus[];
}
