import type { RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { Cause } from '../../motion/motion.ts';
import type { FragmentRing } from './fragment-ring.ts';
import type { MediaClock } from '../packing/media-clock.ts';
import { type ClipStart, type OpenClip, ROUNDING_MS } from './open-clip.ts';

/** A clip that the disk cut off. Media times, milliseconds. */
interface Unfinished {
  readonly triggerMs: number;
  /** Where what is certainly on disk ends, and where the clip would have ended. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly cause: Cause;
}

/** Moments are monotonic. */
export interface ClipStarts {
  reconfigure(recording: RecordingConfig): void;
  /** What moved last. */
  moved(atMs: number, cause: Cause): void;
  /** @returns undefined before the first fragment */
  at(atMs: number, cause: Cause): ClipStart | undefined;
  /** Motion that found no key frame to begin with; the first one counts while the post-roll of that lasts. */
  keepForLater(atMs: number, cause: Cause): void;
  /** What was kept for later. */
  kept(): ClipStart | undefined;
  /** How far a clip goes whose first fragment begins here. */
  endOf(start: ClipStart, firstMs: number): number;
  /** A clip has begun: nothing waits any more. */
  begun(): void;
  /** A clip takes no more from here on: the next one does not begin earlier. */
  ended(lastEndMs: number): void;
  /** @param certainMs how much of the clip is on disk
   *  @returns whether it got no further than the one before it: the disk needs a pause */
  cutOff(clip: OpenClip, certainMs: number): boolean;
  /** What a failed clip is missing, once. */
  rest(): ClipStart | undefined;
  /** What may begin where a clip ended, in the order in which it is tried: each is asked for only when the one before
   *  it did not begin. */
  behind(clip: OpenClip): Iterable<ClipStart>;
}

/** Motion this soon after a clip's end goes on where the clip ended. */
const CONTINUES_MS = 2_000;

/** Where the next clip begins, and what waits to be on it.
 *  Invariants
 *  1. It begins at `trigger - preRoll`, but not before the end of the last clip.
 *  2. Motion that goes on at the end of a clip begins the next one where the last one ended.
 *  3. What a failing disk did not take is recorded again, not beyond the time the first clip would have ended. */
export function createClipStarts(deps: {
  readonly recording: RecordingConfig;
  readonly ring: Pick<FragmentRing, 'from'>;
  readonly mediaClock: Pick<MediaClock, 'mediaAt'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}): ClipStarts {
  const { ring, mediaClock, clock } = deps;
  let { recording } = deps;
  /** Media time where the last clip ended. */
  let notBeforeMs: number | undefined;
  let lastMotion: { atMs: number; mediaMs: number; cause: Cause } | undefined;
  let unfinished: Unfinished | undefined;
  let later: { atMs: number; cause: Cause } | undefined;

  function startOf(atMs: number, triggerMs: number, cause: Cause): ClipStart {
    const triggeredWallMs = Math.round(clock.nowMs() - (clock.monotonicMs() - atMs));
    const fromMs = wantedStart(triggerMs, recording.preRollMs, notBeforeMs);
    return { triggerMs, triggeredWallMs, cause, fromMs, untilMs: undefined, formatFrom: 0 };
  }

  function at(atMs: number, cause: Cause): ClipStart | undefined {
    const mediaMs = mediaClock.mediaAt(atMs);
    return mediaMs === undefined ? undefined : startOf(atMs, mediaMs, cause);
  }

  function rest(): ClipStart | undefined {
    if (!unfinished) return undefined;
    const { triggerMs, fromMs, untilMs, cause } = unfinished;
    unfinished = undefined;
    const nowMs = clock.monotonicMs();
    const mediaNowMs = mediaClock.mediaAt(nowMs);
    const first = ring.from(fromMs)[0];
    if (mediaNowMs === undefined || !first || first.startMs >= untilMs) return undefined;
    notBeforeMs = fromMs;
    const fromTriggerMs = Math.max(triggerMs, fromMs);
    return { ...startOf(nowMs - (mediaNowMs - fromTriggerMs), fromTriggerMs, cause), untilMs };
  }

  return {
    reconfigure: (next) => {
      recording = next;
    },
    moved: (atMs, cause) => {
      const mediaMs = mediaClock.mediaAt(atMs);
      if (mediaMs !== undefined) lastMotion = { atMs, mediaMs, cause };
    },
    at,
    keepForLater: (atMs, cause) => {
      if (!later || atMs - later.atMs > recording.postRollMs) later = { atMs, cause };
    },
    kept: () => {
      if (later && clock.monotonicMs() - later.atMs > recording.postRollMs) later = undefined;
      return later && at(later.atMs, later.cause);
    },
    endOf: ({ fromMs, untilMs }, firstMs) =>
      untilMs ?? Math.max(fromMs, firstMs) + recording.preRollMs + recording.postRollMs,
    begun: () => {
      later = undefined;
      unfinished = undefined;
    },
    ended: (lastEndMs) => {
      notBeforeMs = lastEndMs;
    },
    cutOff: (clip, certainMs) => {
      const { triggerMs, cause } = clip.start;
      const fromMs = clip.startMs + certainMs;
      const isLost = clip.lastEndMs - fromMs > ROUNDING_MS;
      // A clip that was whole, or got as far as it should without a byte taken, is not tried for ever.
      if (clip.lastEndMs >= clip.endMs ? certainMs === 0 : clip.isEnded && !isLost) return false;
      unfinished = { triggerMs, fromMs, untilMs: clip.endMs, cause };
      return notBeforeMs !== undefined && fromMs <= notBeforeMs + ROUNDING_MS;
    },
    rest,
    *behind(clip) {
      const first = rest();
      if (first) yield first;
      if (clip.isChanged && clip.endMs > clip.lastEndMs) yield nextFormat(clip);
      if (lastMotion && lastMotion.mediaMs > clip.lastEndMs)
        yield startOf(lastMotion.atMs, lastMotion.mediaMs, lastMotion.cause);
    },
  };
}

/** Media time from which a clip shall hold what was seen.
 *  @param notBeforeMs where the last clip ended; undefined: there is none */
export function wantedStart(triggerMs: number, preRollMs: number, notBeforeMs: number | undefined): number {
  const wanted = triggerMs - preRollMs;
  if (notBeforeMs === undefined) return wanted;
  return triggerMs - notBeforeMs <= CONTINUES_MS ? notBeforeMs : Math.max(wanted, notBeforeMs);
}

/** What is left of a clip whose format changed. */
const nextFormat = ({ start, lastEndMs, endMs, format }: OpenClip): ClipStart => ({
  ...start,
  fromMs: lastEndMs,
  untilMs: endMs,
  formatFrom: format.number + 1,
});
