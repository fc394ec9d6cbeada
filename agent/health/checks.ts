import type { CameraStatus } from '../capture/capture.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { type Ledger, LEDGER_UNAVAILABLE } from '../ledger/ledger.ts';
import type { WatchdogCheck } from './watchdog.ts';

type Time = Pick<Clock, 'monotonicMs'>;

/** A check for a loop that says itself when it has made a turn. */
export interface ProgressMark extends WatchdogCheck {
  /** The loop has made a turn; one that only tried, and failed, is a turn too. */
  beat(): void;
}

/** Longer than a disk that is asleep or busy makes a reader wait. */
const LEDGER_LONGEST_MS = 60_000;
/** A camera's child has 35 s to show a picture. */
const CAPTURE_LONGEST_MS = 180_000;
/** A camera that is live has shown something in this time, or its supervisor has called it stalled. */
const LIVE_AGE_MS = 30_000;

const standsStill = (name: string, ms: number, why = '') =>
  `${name} has made no progress for ${Math.round(ms / 1_000)} s${why && `: ${why}`}`;

/** @param longestMs the longest pause between two beats of a healthy loop */
export function progressMark({
  name,
  clock,
  longestMs,
}: {
  readonly name: string;
  readonly clock: Time;
  readonly longestMs: number;
}): ProgressMark {
  let lastMs = clock.monotonicMs();
  return {
    name,
    beat: () => {
      lastMs = clock.monotonicMs();
    },
    stuck: () => {
      const pauseMs = clock.monotonicMs() - lastMs;
      return pauseMs > longestMs ? standsStill(name, pauseMs) : null;
    },
  };
}

/** Asks the database for something cheap. One refusal is none: it has `longestMs` to answer again.
 *  A ledger that is not open is being opened again and again, in the background: that is no standstill, and another
 *  process could not open it either. */
export function createLedgerCheck({
  ledger,
  clock,
  longestMs = LEDGER_LONGEST_MS,
}: {
  readonly ledger: Pick<Ledger, 'summary'>;
  readonly clock: Time;
  readonly longestMs?: number;
}): WatchdogCheck {
  let answeredMs = clock.monotonicMs();
  return {
    name: 'ledger',
    stuck: () => {
      try {
        ledger.summary();
        answeredMs = clock.monotonicMs();
        return null;
      } catch (error) {
        if (error instanceof Failure && error.code === LEDGER_UNAVAILABLE) answeredMs = clock.monotonicMs();
        const pauseMs = clock.monotonicMs() - answeredMs;
        const why = error instanceof Error ? error.message : String(error);
        return pauseMs > longestMs ? standsStill('ledger', pauseMs, why) : null;
      }
    },
  };
}

/** The supervisors of the cameras move: a live camera shows pictures, one that does not changes its state, its
 *  process or what is wrong with it every now and then, because it is tried again, or it is left alone for a time that is
 *  known: half an hour when it refuses the login. Such a camera is therefore no reason to restart; a supervisor that
 *  forgot it is. */
export function createCaptureCheck({
  cameras,
  clock,
  longestMs = CAPTURE_LONGEST_MS,
}: {
  readonly cameras: () => readonly CameraStatus[];
  readonly clock: Time;
  readonly longestMs?: number;
}): WatchdogCheck {
  const seen = new Map<string, { readonly mark: string; readonly atMs: number }>();
  const isWatched = ({ state, lastFragmentAgeMs }: CameraStatus) =>
    (state === 'live' || state === 'blind') && (lastFragmentAgeMs ?? Infinity) < LIVE_AGE_MS;
  return {
    name: 'capture',
    stuck: () => {
      const now = clock.monotonicMs();
      const present = cameras();
      for (const id of seen.keys()) if (!present.some(({ cameraId }) => cameraId === id)) seen.delete(id);
      for (const camera of present) {
        const mark = `${camera.state} ${camera.sinceMs} ${camera.pid}`;
        const last = seen.get(camera.cameraId);
        const moves = isWatched(camera) || (camera.pauseMs ?? 0) > 0;
        if (moves || last?.mark !== mark) seen.set(camera.cameraId, { mark, atMs: now });
        else if (now - last.atMs > longestMs)
          return standsStill(`camera ${camera.cameraId}`, now - last.atMs, `it is ${camera.state}`);
      }
      return null;
    },
  };
}
