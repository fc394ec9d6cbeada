import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';

export type CameraState = 'starting' | 'live' | 'stalled' | 'down';

/** begins: the camera is asked, or a child is forked · shows: both streams bring something new · shows-nothing: one of
 *  them does not · lacks-key-frame: pictures come that cannot be used · is-silent: the child says nothing · ended: the
 *  child is gone, the camera refused, or it is not watched any more. */
export type CameraEvent = 'begins' | 'shows' | 'shows-nothing' | 'lacks-key-frame' | 'is-silent' | 'ended';

/** What is not listed changes nothing: before its first picture a camera is starting, however long it shows nothing. */
export const CAMERA_MOVES = {
  starting: { begins: 'starting', shows: 'live', 'lacks-key-frame': 'starting', ended: 'down' },
  live: {
    begins: 'starting',
    shows: 'live',
    'shows-nothing': 'stalled',
    'lacks-key-frame': 'stalled',
    'is-silent': 'stalled',
    ended: 'down',
  },
  stalled: {
    begins: 'starting',
    shows: 'live',
    'shows-nothing': 'stalled',
    'lacks-key-frame': 'stalled',
    ended: 'down',
  },
  down: { begins: 'starting', ended: 'down' },
} as const satisfies Record<CameraState, Partial<Record<CameraEvent, CameraState>>>;

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
