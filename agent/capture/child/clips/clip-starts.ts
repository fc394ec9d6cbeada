import type { RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../../../kernel/clock.ts';
import type { Cause } from '../../../motion/motion.ts';
import type { FragmentRing } from '../fragment-ring.ts';
import type { MediaClock } from '../../packing/media-clock.ts';
import { type ClipLength, type Motion, ROUNDING_MS } from './clip-end.ts';
import type { ClipOutcome, ClipStart, OpenClip } from './open-clip.ts';

/** A clip that the disk cut off. Media times, milliseconds. */
interface Unfinished {
  readonly triggerMs: number;
  /** Where what is certainly on disk ends, and where the clip would have ended. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly capMs: number;
  readonly cause: Cause;
}

/** Moments are monotonic. */
export interface ClipStarts {
  reconfigure(recording: RecordingConfig): void;
  /** @returns undefined before the first fragment */
  motionAt(atMs: number, cause: Cause): Motion | undefined;
  /** Whether motion comes so soon behind the last clip that it begins none. Motion that goes on is no new one. */
  coolsDown(motion: Motion): boolean;
  /** @returns undefined before the first fragment */
  at(atMs: number, cause: Cause): ClipStart | undefined;
  /** Motion that found no key frame to begin with; the first one counts while the post-roll of that lasts. */
  keepForLater(atMs: number, cause: Cause): void;
  /** What was kept for later. */
  kept(): ClipStart | undefined;
  /** How far a clip goes whose first fragment begins here. */
  lengthOf(start: ClipStart, firstMs: number): ClipLength;
  /** A clip has begun: nothing waits any more. */
  begun(): void;
  /** A clip takes no more from here on: the next one does not begin earlier. */
  ended(lastEndMs: number): void;
  /** What became of a clip.
   *  @returns whether the next one needs a pause */
  reported(clip: OpenClip, outcome: ClipOutcome): boolean;
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
  readonly ring: Pick<FragmentRing, 'from' | 'hold'>;
  readonly mediaClock: Pick<MediaClock, 'mediaAt'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}): ClipStarts {
  const { ring, mediaClock, clock } = deps;
  let { recording } = deps;
  /** Media time where the last clip ended. */
  let notBeforeMs: number | undefined;
  let recordedUntilMs: number | undefined;
  let unfinished: Unfinished | undefined;
  let later: { atMs: number; cause: Cause } | undefined;

  function startOf(atMs: number, triggerMs: number, cause: Cause): ClipStart {
    const triggeredWallMs = Math.round(clock.nowMs() - (clock.monotonicMs() - atMs));
    const fromMs = wantedStart(triggerMs, recording.preRollMs, notBeforeMs);
    return { triggerMs, triggeredWallMs, cause, fromMs, untilMs: undefined, capMs: undefined, formatFrom: 0 };
  }

  function at(atMs: number, cause: Cause): ClipStart | undefined {
    const mediaMs = mediaClock.mediaAt(atMs);
    return mediaMs === undefined ? undefined : startOf(atMs, mediaMs, cause);
  }

  function rest(): ClipStart | undefined {
    if (!unfinished) return undefined;
    const { triggerMs, fromMs, untilMs, capMs, cause } = unfinished;
    unfinished = undefined;
    const nowMs = clock.monotonicMs();
    const mediaNowMs = mediaClock.mediaAt(nowMs);
    const first = ring.from(fromMs)[0];
    if (mediaNowMs === undefined || !first || first.startMs >= untilMs) return undefined;
    notBeforeMs = fromMs;
    const fromTriggerMs = Math.max(triggerMs, fromMs);
    return { ...startOf(nowMs - (mediaNowMs - fromTriggerMs), fromTriggerMs, cause), untilMs, capMs };
  }

  function cutOff(clip: OpenClip, certainMs: number): boolean {
    const { triggerMs, cause } = clip.start;
    const fromMs = clip.startMs + certainMs;
    const isLost = clip.lastEndMs - fromMs > ROUNDING_MS;
    // A clip that was whole, or got as far as it should without a byte taken, is not tried for ever.
    if (clip.lastEndMs >= clip.endMs ? certainMs === 0 : clip.isEnded && !isLost) return false;
    // What moved behind its end kept it open; that is missing, too.
    const untilMs = clip.beyond ? Math.max(clip.endMs, clip.lastEndMs) : clip.endMs;
    unfinished = { triggerMs, fromMs, untilMs, capMs: clip.capMs, cause };
    return notBeforeMs !== undefined && fromMs <= notBeforeMs + ROUNDING_MS;
  }

  return {
    reconfigure: (next) => {
      recording = next;
    },
    motionAt: (atMs, cause) => {
      const mediaMs = mediaClock.mediaAt(atMs);
      return mediaMs === undefined ? undefined : { atMs, mediaMs, cause };
    },
    coolsDown: ({ mediaMs }) => {
      if (recordedUntilMs === undefined) return false;
      const sinceMs = mediaMs - recordedUntilMs;
      return sinceMs > CONTINUES_MS && sinceMs < (recording.cooldownMs ?? 0);
    },
    at,
    keepForLater: (atMs, cause) => {
      if (!later || atMs - later.atMs > recording.postRollMs) later = { atMs, cause };
    },
    kept: () => {
      if (later && clock.monotonicMs() - later.atMs > recording.postRollMs) later = undefined;
      return later && at(later.atMs, later.cause);
    },
    lengthOf: (start, firstMs) => lengthOf(recording, start, Math.max(start.fromMs, firstMs)),
    begun: () => {
      later = undefined;
      unfinished = undefined;
    },
    ended: (lastEndMs) => {
      notBeforeMs = lastEndMs;
      ring.hold(lastEndMs);
    },
    reported: (clip, outcome) => {
      // What begins behind it takes its fragments before another one comes.
      ring.hold(undefined);
      if (outcome.kind === 'cut') return cutOff(clip, outcome.certainMs);
      if (outcome.kind === 'lost') cutOff(clip, 0);
      if (outcome.kind === 'whole') recordedUntilMs = clip.lastEndMs;
      return outcome.kind !== 'whole';
    },
    cutOff,
    rest,
    *behind(clip) {
      const first = rest();
      if (first) yield first;
      if (clip.isChanged && clip.endMs > clip.lastEndMs) yield nextFormat(clip);
      if (clip.beyond) yield startOf(clip.beyond.atMs, clip.beyond.mediaMs, clip.beyond.cause);
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

function lengthOf(
  { preRollMs, postRollMs, longestMs = 0 }: RecordingConfig,
  { untilMs, capMs }: ClipStart,
  startMs: number,
): ClipLength {
  const endMs = untilMs ?? startMs + preRollMs + postRollMs;
  return { endMs, capMs: capMs ?? Math.max(endMs, startMs + longestMs), postRollMs };
}

/** What is left of a clip whose format changed. */
const nextFormat = ({ start, lastEndMs, endMs, capMs, format }: OpenClip): ClipStart => ({
  ...start,
  fromMs: lastEndMs,
  untilMs: endMs,
  capMs,
  formatFrom: format.number + 1,
});
