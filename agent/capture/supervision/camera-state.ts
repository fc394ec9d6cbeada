import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';

import type { Absence } from '../stream-error.ts';

/** starting: it is asked, or a child connects · live: both streams bring something new · blind: they do, but do not show
 *  the scene · stalled: nothing new comes, or nobody watches · the others: as of `Absence`. */
export type CameraState = 'starting' | 'live' | 'blind' | 'stalled' | Absence;

/** begins: the camera is asked, or a child is forked · shows: both streams bring something new · shows-nothing: one of
 *  them does not · lacks-key-frame: pictures come that cannot be used · shows-no-scene: they are of something before the
 *  lens · is-silent: the child says nothing · an absence: the camera was asked, or a child has ended, and that is
 *  why · ended: the child is gone for a reason of its own, or the camera is not watched any more. */
export type CameraEvent =
  | 'begins'
  | 'shows'
  | 'shows-no-scene'
  | 'shows-nothing'
  | 'lacks-key-frame'
  | 'is-silent'
  | 'ended'
  | Absence;

const GONE = {
  begins: 'starting',
  unreachable: 'unreachable',
  refused: 'refused',
  unsupported: 'unsupported',
  ended: 'stalled',
} as const;
const SHOWS = { shows: 'live', 'shows-no-scene': 'blind' } as const;
const STALLS = { 'shows-nothing': 'stalled', 'lacks-key-frame': 'stalled', 'is-silent': 'stalled' } as const;

/** What is not listed changes nothing: before its first picture a camera is starting, however long it shows nothing. */
export const CAMERA_MOVES = {
  starting: { ...GONE, ...SHOWS, 'lacks-key-frame': 'starting' },
  live: { ...GONE, ...SHOWS, ...STALLS },
  blind: { ...GONE, ...SHOWS, ...STALLS },
  stalled: { ...GONE, ...SHOWS, 'shows-nothing': 'stalled', 'lacks-key-frame': 'stalled' },
  unreachable: GONE,
  refused: GONE,
  unsupported: GONE,
} as const satisfies Record<CameraState, Partial<Record<CameraEvent, CameraState>>>;

/** Nothing of it is seen or recorded; it is tried again and again. */
export const isWithoutPicture = (state: CameraState): boolean =>
  state === 'stalled' || state === 'unreachable' || state === 'refused' || state === 'unsupported';

export interface CameraStanding {
  readonly state: CameraState;
  /** Wall time since when, Unix milliseconds; 0: not watched yet. */
  readonly sinceMs: number;
  /** What went wrong, for a person; null when live. While starting: why it had to start again. */
  readonly detail: string | null;
}

export interface CameraStateMachine {
  now(): CameraStanding;
  /** @param why what goes wrong, for a person */
  take(event: CameraEvent, why: string | null): void;
}

/** The state of one camera. An outage is one warning in the log; the attempts to end it are not. */
export function createCameraState(deps: {
  readonly cameraId: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}): CameraStateMachine {
  const { cameraId, clock, log } = deps;
  let standing: CameraStanding = { state: 'starting', sinceMs: 0, detail: null };
  /** What the last warning was about; null since the camera was live. */
  let lastTrouble: string | null = null;

  function tell({ state, detail }: CameraStanding): void {
    const again = state !== 'live' && detail !== null && detail === lastTrouble;
    const level = again ? 'debug' : state === 'live' || state === 'starting' ? 'info' : 'warn';
    if (state === 'live') lastTrouble = null;
    else if (state !== 'starting') lastTrouble = detail;
    log[level]({ event: 'camera.state', cameraId, state, detail }, `camera ${cameraId} is ${state}`);
  }

  return {
    now: () => standing,
    take: (event, detail) => {
      const moves: Partial<Record<CameraEvent, CameraState>> = CAMERA_MOVES[standing.state];
      const state = moves[event];
      if (state === undefined) return;
      const isFirst = standing.sinceMs === 0;
      if (state === standing.state && detail === standing.detail && !isFirst) return;
      const sinceMs = state === standing.state && !isFirst ? standing.sinceMs : clock.nowMs();
      standing = { state, sinceMs, detail };
      tell(standing);
    },
  };
}
