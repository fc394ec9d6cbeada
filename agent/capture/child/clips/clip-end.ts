import type { Fragment } from '../../mp4/fragment.ts';
import type { Cause } from '../../../motion/motion.ts';

/** How long a clip is. Media times, milliseconds. */
export interface ClipLength {
  /** Where it ends if nothing moves any more … */
  readonly endMs: number;
  /** … and where it ends at the latest, but for the group of pictures that lies there. */
  readonly capMs: number;
  /** What is recorded behind each motion. */
  readonly postRollMs: number;
}

export interface Motion {
  /** Monotonic and media milliseconds of the picture that shows it. */
  readonly atMs: number;
  readonly mediaMs: number;
  readonly cause: Cause;
}

/** Media times are sums of rounded ticks: a fragment that fits exactly must not be left out for a rounding. */
export const ROUNDING_MS = 20;
/** Motion that paused for less still goes on. */
const GOES_ON_MS = 3_000;

export interface ClipEnd {
  /** Where the clip shall end, and where what it has been given ends. */
  readonly endMs: number;
  readonly lastEndMs: number;
  /** It takes no more. */
  readonly isEnded: boolean;
  /** The first motion that the next clip is for: it came behind the end. */
  readonly beyond: Motion | undefined;
  /** Whether the clip is over before this fragment, so that the next one can begin with it. */
  isBefore(next: Fragment): boolean;
  /** @returns whether the clip is over behind this fragment */
  took(fragment: Fragment): boolean;
  moved(motion: Motion): void;
  end(): void;
}

/** Where a clip ends.
 *  Invariants
 *  1. Motion moves the end, never beyond `capMs`, and not when the clip has ended.
 *  2. The last fragment is the last one that fits. While something moves there it is the one before the next key frame. */
export function createClipEnd({ endMs: plannedMs, capMs, postRollMs }: ClipLength, first: Fragment): ClipEnd {
  let endMs = plannedMs;
  let newest = first;
  let isEnded = false;
  let last: Motion | undefined;
  let beyond: Motion | undefined;

  /** One more fragment would not fit. */
  const isFull = () => newest.endMs + (newest.endMs - newest.startMs) > endMs + ROUNDING_MS;
  const goesOn = () =>
    beyond !== undefined || (last !== undefined && last.mediaMs >= newest.endMs - GOES_ON_MS);

  return {
    get endMs() {
      return endMs;
    },
    get lastEndMs() {
      return newest.endMs;
    },
    get isEnded() {
      return isEnded;
    },
    get beyond() {
      return beyond;
    },
    isBefore: (next) => next.info.startsWithKeyFrame && isFull(),
    took: (fragment) => {
      newest = fragment;
      return isFull() && !goesOn();
    },
    moved: (motion) => {
      last = motion;
      if (!isEnded) endMs = Math.max(endMs, Math.min(capMs, motion.mediaMs + postRollMs));
      if (motion.mediaMs > (isEnded ? Math.min(newest.endMs, endMs) : endMs)) beyond ??= motion;
    },
    end: () => {
      isEnded = true;
      // It moved when the fragment that shows it had not come.
      if (last && last.mediaMs > Math.min(newest.endMs, endMs)) beyond ??= last;
    },
  };
}
