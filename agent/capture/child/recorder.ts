import type { RecordingConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { WrittenClip } from '../../ledger/ledger.ts';
import type { Cause } from '../../motion/motion.ts';
import type { ClipWriter, ClipWriterDeps } from './clip-writer.ts';
import type { Fragment, StreamFormat } from '../mp4/fragment.ts';
import type { FragmentRing } from './fragment-ring.ts';
import type { MediaClock } from './media-clock.ts';

export interface ClipPlace {
  readonly clipId: string;
  readonly partFile: string;
}

export interface RecorderDeps {
  readonly recording: RecordingConfig;
  readonly ring: FragmentRing;
  readonly mediaClock: MediaClock;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** Asks for a place; undefined: nothing may be recorded now. Must settle within seconds. */
  askPlace(triggeredMs: number, cause: Cause): Promise<ClipPlace | undefined>;
  createWriter(deps: ClipWriterDeps): ClipWriter;
  written(clipId: string, clip: WrittenClip): void;
  abandoned(clipId: string, reason: string): void;
  /** No clip may begin before `resume`. */
  readonly paused?: boolean;
}

export interface Recorder {
  /** A fragment that is already in the ring. */
  fragment(fragment: Fragment): void;
  /** Something moved in a frame that came at this monotonic moment. */
  motion(atMs: number, cause: Cause): void;
  /** Begins a clip although nothing moves; one that runs counts.
   *  @returns its id, when its place is known
   *  @throws Failure `capture.no-picture`, `capture.paused`, `capture.no-room` */
  record(atMs: number): Promise<string>;
  /** For clips that begin from now on; one that runs keeps its length. */
  reconfigure(recording: RecordingConfig): void;
  /** Closes a running clip where it is and waits until it is reported. No clip begins before `resume`. */
  pause(): Promise<void>;
  resume(): void;
  /** Like `pause`, for good. */
  finish(): Promise<void>;
  recording(): boolean;
  /** How long something has moved that no clip holds, milliseconds; null: nothing moves, it is recorded, or recording
   *  is paused. */
  unrecordedMs(): number | null;
  /** Closes a clip that should be over by now, also when no pictures come. */
  tick(): void;
}

export const pausedFailure = () =>
  new Failure('transient', 'capture.paused', 'Recording is paused; no clip begins');

/** Motion this soon after a clip's end goes on where the clip ended. */
const CONTINUES_MS = 2_000;
/** After a clip that could not be opened or written, motion asks again only after this long. */
const HOLD_OFF_MS = 5_000;
/** What moved last so long ago is over. */
const MOTION_OVER_MS = 10_000;
/** Media times are sums of rounded ticks: a fragment that fits exactly must not be left out for a rounding. */
const ROUNDING_MS = 20;
/** What the ring holds at most, all at once, and what a slow disk may leave waiting besides. The ring's bytes are
 *  shared with it. */
const MAX_QUEUED_BYTES = 192 * 1024 * 1024;
/** No picture has come for this long behind a clip's end: it is over. */
const OVERDUE_MS = 5_000;

/** What shall be on a clip. Media times, milliseconds. */
interface ClipStart {
  readonly triggerMs: number;
  readonly triggeredWallMs: number;
  readonly cause: Cause;
  readonly fromMs: number;
  /** Undefined: as long as is set. */
  readonly untilMs: number | undefined;
  /** Earlier formats are on another clip. */
  readonly formatFrom: number;
}

interface Running {
  /** Media times, milliseconds. */
  readonly triggerMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly triggeredWallMs: number;
  readonly cause: Cause;
  readonly format: StreamFormat;
  /** Undefined: it may not be recorded. */
  readonly place: Promise<ClipPlace | undefined>;
  /** What came before the place was known. */
  readonly waiting: Fragment[];
  lastEndMs: number;
  ended: boolean;
  /** The camera changed its format: what is still to come is for another clip. */
  changed: boolean;
  writer: ClipWriter | undefined;
  /** Settles when the clip is reported. */
  readonly done: Promise<void>;
  readonly end: () => void;
}

/** A clip that the disk cut off. Media times, milliseconds. */
interface Unfinished {
  readonly triggerMs: number;
  /** Where what is certainly on disk ends, and where the clip would have ended. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly cause: Cause;
}

/** From motion to clips.
 *  Invariants
 *  1. A clip begins with the key frame at or before `trigger - preRoll`, but not before the end of the last clip,
 *     save for the group of pictures that end lies in.
 *  2. It ends with the last fragment that still fits before wanted start + pre-roll + post-roll, so every clip is
 *     that long, give or take a group of pictures: up to one more at the start, less than one fragment, which is
 *     never longer, fewer at the end; earlier only when the stream ends or the disk fails.
 *  3. Motion that goes on at the end of a clip begins the next one where the last one ended.
 *  4. What a failing disk did not take is recorded again from the ring, in a new clip: at once when the disk had taken
 *     something, else after a pause, and not beyond the time the first clip would have ended.
 *  5. A clip holds one format. When the camera changes it, the clip ends and another one begins with the first
 *     picture of the new format, for the time that was left.
 *  6. What moves while there is no key frame to begin with is recorded from the next one on, if it comes before the
 *     post-roll is over.
 *  7. At most one clip is open. Each place that was given is answered by `written` or `abandoned`, once. */
export function createRecorder(deps: RecorderDeps): Recorder {
  const { ring, mediaClock, clock } = deps;
  let { recording } = deps;
  let newest: StreamFormat | undefined;
  let running: Running | undefined;
  /** Media time where the last clip ended. */
  let notBeforeMs: number | undefined;
  let heldOffUntilMs = 0;
  let lastMotion: { atMs: number; mediaMs: number; cause: Cause } | undefined;
  /** Monotonic moments of motion that no clip holds: the first and the newest. */
  let unrecorded: { readonly sinceMs: number; lastMs: number } | undefined;
  let unfinished: Unfinished | undefined;
  /** Motion that found no key frame to begin with. */
  let unserved: { atMs: number; cause: Cause } | undefined;
  let paused = deps.paused ?? false;
  let finished = false;

  function motion(atMs: number, cause: Cause): void {
    if (finished || paused) return;
    if (!running?.writer) missed(atMs);
    const mediaMs = mediaClock.mediaAt(atMs);
    if (mediaMs !== undefined) lastMotion = { atMs, mediaMs, cause };
    if (running || clock.monotonicMs() < heldOffUntilMs) return;
    if (mediaMs !== undefined && begin(startOf(atMs, mediaMs, cause))) return;
    if (!unserved || atMs - unserved.atMs > recording.postRollMs) unserved = { atMs, cause };
  }

  function startOf(atMs: number, triggerMs: number, cause: Cause): ClipStart {
    const triggeredWallMs = Math.round(clock.nowMs() - (clock.monotonicMs() - atMs));
    const fromMs = wantedStart(triggerMs);
    return { triggerMs, triggeredWallMs, cause, fromMs, untilMs: undefined, formatFrom: 0 };
  }

  function missed(atMs: number): void {
    if (!unrecorded || atMs - unrecorded.lastMs > MOTION_OVER_MS)
      unrecorded = { sinceMs: atMs, lastMs: atMs };
    unrecorded.lastMs = atMs;
  }

  /** @returns undefined when there is no picture to begin with */
  function begin({
    triggerMs,
    triggeredWallMs,
    cause,
    fromMs,
    untilMs,
    formatFrom,
  }: ClipStart): Running | undefined {
    const fragments = ring.from(fromMs, formatFrom);
    const first = fragments[0];
    const last = fragments.at(-1);
    if (!first || !last) return undefined;
    unserved = undefined;
    const { startMs, format } = first;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const clip: Running = {
      triggerMs,
      startMs,
      endMs: untilMs ?? Math.max(fromMs, startMs) + recording.preRollMs + recording.postRollMs,
      cause,
      format,
      triggeredWallMs,
      place: deps.askPlace(triggeredWallMs, cause),
      waiting: fragments,
      lastEndMs: last.endMs,
      ended: false,
      changed: false,
      writer: undefined,
      done,
      end,
    };
    running = clip;
    unfinished = undefined;
    void write(clip, ended).finally(() => {
      running = undefined;
      resolve();
      goOn(clip);
    });
    // The ring holds pictures of the next format already.
    if (format.number !== newest?.number) change(clip);
    return clip;
  }

  function wantedStart(triggerMs: number): number {
    const wanted = triggerMs - recording.preRollMs;
    if (notBeforeMs === undefined) return wanted;
    return triggerMs - notBeforeMs <= CONTINUES_MS ? notBeforeMs : Math.max(wanted, notBeforeMs);
  }

  /** What is left of a clip whose format changed begins the next one; so does motion behind the clip's end, seen while
   *  its last fragment was still on the way. */
  function goOn(clip: Running): void {
    if (recordTheRest()) return;
    if (finished || paused || clock.monotonicMs() < heldOffUntilMs) return;
    if (clip.changed && clip.endMs > clip.lastEndMs) {
      const { triggerMs, triggeredWallMs, cause, lastEndMs: fromMs, endMs: untilMs } = clip;
      const formatFrom = clip.format.number + 1;
      if (begin({ triggerMs, triggeredWallMs, cause, fromMs, untilMs, formatFrom })) return;
    }
    if (lastMotion && lastMotion.mediaMs > clip.lastEndMs)
      begin(startOf(lastMotion.atMs, lastMotion.mediaMs, lastMotion.cause));
  }

  /** Records what a failed clip is missing, when the disk has had its pause. */
  function recordTheRest(): boolean {
    if (!unfinished || running || finished || paused || clock.monotonicMs() < heldOffUntilMs) return false;
    const { triggerMs, fromMs, untilMs, cause } = unfinished;
    unfinished = undefined;
    const nowMs = clock.monotonicMs();
    const mediaNowMs = mediaClock.mediaAt(nowMs);
    const first = ring.from(fromMs)[0];
    if (mediaNowMs === undefined || !first || first.startMs >= untilMs) return false;
    notBeforeMs = fromMs;
    const fromTriggerMs = Math.max(triggerMs, fromMs);
    const atMs = nowMs - (mediaNowMs - fromTriggerMs);
    return begin({ ...startOf(atMs, fromTriggerMs, cause), untilMs }) !== undefined;
  }

  function holdOff(): void {
    heldOffUntilMs = clock.monotonicMs() + HOLD_OFF_MS;
  }

  /** @param certainMs how much of the clip is on disk */
  function cutOff(clip: Running, certainMs: number): void {
    const fromMs = clip.startMs + certainMs;
    const lost = clip.lastEndMs - fromMs > ROUNDING_MS;
    // A clip that was whole, or got as far as it should without a byte taken, is not tried for ever.
    if (clip.lastEndMs >= clip.endMs ? certainMs === 0 : clip.ended && !lost) return;
    // Nor at once when it got no further than the one before.
    if (notBeforeMs !== undefined && fromMs <= notBeforeMs + ROUNDING_MS) holdOff();
    unfinished = { triggerMs: clip.triggerMs, fromMs, untilMs: clip.endMs, cause: clip.cause };
  }

  async function write(clip: Running, ended: Promise<void>) {
    const { init, track } = clip.format;
    const place = await clip.place;
    if (!place) return holdOff();
    const writer = deps.createWriter({
      file: place.partFile,
      init,
      timescale: track.timescale,
      maxQueuedBytes: MAX_QUEUED_BYTES,
      onFailure: clip.end,
    });
    clip.writer = writer;
    unrecorded = undefined;
    for (const fragment of clip.waiting.splice(0)) writer.append(fragment);
    await ended;
    try {
      const { cutBy, ...closed } = await writer.close();
      const preRollMs = Math.round(clip.triggerMs - clip.startMs);
      if (cutBy) cutOff(clip, closed.durationMs);
      deps.written(place.clipId, {
        ...closed,
        preRollMs: Math.max(0, preRollMs),
        startedMs: Math.round(clip.triggeredWallMs - preRollMs),
        ...(cutBy ? { detail: `cut off, because the disk failed (${cutBy.kind}: ${cutBy.message})` } : {}),
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      cutOff(clip, 0);
      holdOff();
      deps.abandoned(place.clipId, `${error.kind}: ${error.message}`);
    }
  }

  function fragment(next: Fragment): void {
    newest = next.format;
    const clip = running;
    if (!clip) return serve();
    if (clip.ended) return;
    if (clip.format.number !== next.format.number) return change(clip);
    if (clip.writer) clip.writer.append(next);
    else clip.waiting.push(next);
    clip.lastEndMs = next.endMs;
    const lengthMs = next.endMs - next.startMs;
    if (next.endMs + lengthMs > clip.endMs + ROUNDING_MS) endHere(clip);
  }

  function change(clip: Running): void {
    clip.changed = true;
    endHere(clip);
  }

  /** Begins what could not begin before: the rest of a clip that the disk cut off, or what moved before a key frame
   *  came. */
  function serve(): void {
    if (recordTheRest() || !unserved || finished || paused || clock.monotonicMs() < heldOffUntilMs) return;
    const { atMs, cause } = unserved;
    const mediaMs = mediaClock.mediaAt(atMs);
    if (clock.monotonicMs() - atMs > recording.postRollMs) unserved = undefined;
    else if (mediaMs !== undefined) begin(startOf(atMs, mediaMs, cause));
  }

  function tick(): void {
    const mediaMs = mediaClock.mediaAt(clock.monotonicMs());
    if (running && mediaMs !== undefined && mediaMs > running.endMs + OVERDUE_MS) endHere(running);
  }

  function endHere(clip: Running): void {
    if (clip.ended) return;
    clip.ended = true;
    notBeforeMs = clip.lastEndMs;
    clip.end();
  }

  /** Ends what runs and waits until it is reported. */
  async function close(): Promise<void> {
    if (!running) return;
    endHere(running);
    await running.done;
  }

  async function record(atMs: number): Promise<string> {
    // What is being closed takes no more pictures; motion may begin the next clip before we do.
    for (let closing = running; closing?.ended; closing = running) await closing.done;
    if (paused || finished) throw pausedFailure();
    const mediaMs = mediaClock.mediaAt(atMs);
    const clip =
      running ?? (mediaMs === undefined ? undefined : begin(startOf(atMs, mediaMs, { kind: 'request' })));
    if (!clip)
      throw new Failure('transient', 'capture.no-picture', 'The camera has not shown a whole picture yet');
    const place = await clip.place;
    if (place) return place.clipId;
    if (paused) throw pausedFailure();
    throw new Failure('exhausted', 'capture.no-room', 'No clip may be recorded now: there is no room for it');
  }

  return {
    fragment,
    motion,
    record,
    reconfigure: (next) => {
      recording = next;
    },
    pause: () => {
      paused = true;
      return close();
    },
    resume: () => {
      paused = false;
      heldOffUntilMs = 0;
    },
    finish: () => {
      finished = true;
      return close();
    },
    recording: () => running !== undefined,
    unrecordedMs: () => {
      if (!unrecorded || paused || clock.monotonicMs() - unrecorded.lastMs > MOTION_OVER_MS) return null;
      return Math.round(clock.monotonicMs() - unrecorded.sinceMs);
    },
    tick,
  };
}
