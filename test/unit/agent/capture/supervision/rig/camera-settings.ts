import type { CaptureTimings, FromChild } from '../../../../../../agent/capture/messages.ts';
import type { CameraSettings } from '../../../../../../agent/capture/supervision/settings-change.ts';

/** Long enough apart that no test meets two of them at once. */
export const timings: CaptureTimings = {
  heartbeatMs: 1_000,
  connectMs: 15_000,
  keyFrameMs: 150_000,
  stalledMs: 5_000,
  giveUpMs: 10_000,
  killMs: 20_000,
  stopMs: 8_000,
};
export const login = { username: 'viewer', password: 'secret' };
export const settingsOf = (more: Partial<CameraSettings['config']> = {}): CameraSettings => ({
  config: {
    id: 'gate',
    title: 'Gate',
    main: 'rtsp://camera/main',
    sub: 'rtsp://camera/sub',
    sensitivity: 5,
    ...more,
  },
  credential: login,
  recording: { preRollMs: 5_000, postRollMs: 10_000 },
});

export type Heartbeat = Extract<FromChild, { type: 'heartbeat' }>;
/** Of a child whose camera is live. */
export const heartbeat = (more: Partial<Heartbeat> = {}): Heartbeat => ({
  type: 'heartbeat',
  lastFragmentAgeMs: 100,
  lastFrameAgeMs: 50,
  silentMs: 0,
  keyFrames: null,
  blind: null,
  recording: false,
  unrecordedMs: null,
  suppressed: {},
  alertness: 'quiet',
  decoded: 0,
  ...more,
});
/** Of a camera that has shown nothing yet. */
export const pictureless = { lastFragmentAgeMs: null, lastFrameAgeMs: null } as const;

/** What a child says of a clip. */
export const clip = { startedMs: 1, preRollMs: 2, durationMs: 3, bytes: 4, sha256: 'x' };
export const trigger = (requestId: number, triggeredMs: number) =>
  ({ type: 'trigger', requestId, triggeredMs, cause: { kind: 'zone', id: 'drive' } }) as const;
