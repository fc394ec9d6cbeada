import type { RecordingConfig, SuppressionReason } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { WrittenClip } from '../../ledger/ledger.ts';
import type { Cause } from '../../motion/motion.ts';
import type { Fragment, StreamFormat } from '../mp4/fragment.ts';
import { requestClip } from './clips/clip-request.ts';
import { createClipStarts } from './clips/clip-starts.ts';
import type { ClipWriter, ClipWriterDeps } from './clips/clip-writer.ts';
import type { FragmentRing } from './fragment-ring.ts';
import type { MediaClock } from '../packing/media-clock.ts';
import {
  type ClipOutcome,
  type ClipSlot,
  type ClipStart,
  type NoSlot,
  openClip,
  type OpenClip,
} from './clips/open-clip.ts';
import { createUnrecordedMotion } from './unrecorded-motion.ts';

export interface RecorderDeps {
  readonly recording: RecordingConfig;
  readonly ring: FragmentRing;
  readonly mediaClock: MediaClock;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** Asks for a place; undefined: nothing can be recorded now. Must settle within seconds. */
  askSlot(triggeredMs: number, cause: Cause): Promise<ClipSlot | NoSlot | undefined>;
  createWriter(deps: ClipWriterDeps): ClipWriter;
  /** A clip is being written from now on. */
  begun?(clipId: string): void;
  written(clipId: string, clip: WrittenClip): void;
  abandoned(clipId: string, reason: string): void;
  /** No clip may begin before `resume`. */
  readonly paused?: boolean;
}

export interface Recorder {
  /** A fragment that is already in the ring. */
  fragment(fragment: Fragment): void;
  /** Something moved in a frame that came at this monotonic moment.
   *  @returns why no clip shall hold it; undefined: a clip does, or should */
  motion(atMs: number, cause: Cause): SuppressionReason | undefined;
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

/** After a clip that could not be opened or written, motion asks again only after this long. */
const HOLD_OFF_MS = 5_000;
/** No picture has come for this long behind a clip's end: it is over. */
const OVERDUE_MS = 5_000;

/** From motion to clips.
 *  Invariants
 *  1. A clip begins with the key frame at or before `trigger - preRoll`, but not before the end of the last clip,
 *     save for the group of pictures that end lies in.
 *  2. It ends with the last fragment that still fits before wanted start + pre-roll + post-roll, so every clip is
 *     that long, give or take a group of pictures: up to one more at the start, less than one fragment, which is
 *     never longer, fewer at the end; earlier only when the stream ends or the disk fails. Motion while it runs moves
 *     its end to a post-roll behind that motion, but not beyond the longest length.
 *  3. Motion that goes on at the end of a clip carries it on to the next key frame, and the next clip begins there:
 *     no fragment is on both, and none on neither.
 *  4. What a failing disk did not take is recorded again from the ring, in a new clip: at once when the disk had taken
 *     something, else after a pause, and not beyond the time the first clip would have ended.
 *  5. A clip holds one format. When the camera changes it, the clip ends and another one begins with the first
 *     picture of the new format, for the time that was left.
 *  6. What moves while there is no key frame to begin with is recorded from the next one on, if it comes before the
 *     post-roll is over.
 *  7. At most one clip is open. Each place that was given is answered by `written` or `abandoned`, once. */
export function createRecorder(deps: RecorderDeps): Recorder {
  const { ring, mediaClock, clock } = deps;
  const starts = createClipStarts(deps);
  const unrecorded = createUnrecordedMotion(clock);
  let newest: StreamFormat | undefined;
  let running: OpenClip | undefined;
  let heldOffUntilMs = 0;
  let paused = deps.paused ?? false;
  let finished = false;

  const mayBegin = () => !running && !finished && !paused && clock.monotonicMs() >= heldOffUntilMs;

  function motion(atMs: number, cause: Cause): SuppressionReason | undefined {
    if (finished || paused) return undefined;
    const motion = starts.motionAt(atMs, cause);
    if (motion) running?.moved(motion);
    if (motion && !running && starts.coolsDown(motion)) return 'cooldown';
    if (!running?.isBeingWritten) unrecorded.moved(atMs);
    if (mayBegin() && !begin(starts.at(atMs, cause))) starts.keepForLater(atMs, cause);
    return unrecorded.heldBack();
  }

  /** @returns undefined when there is no picture to begin with */
  function begin(start: ClipStart | undefined): OpenClip | undefined {
    const [first, ...others] = start ? ring.from(start.fromMs, start.formatFrom) : [];
    if (!start || !first) return undefined;
    const clip = openClip({
      ...deps,
      start,
      fragments: [first, ...others],
      length: starts.lengthOf(start, first.startMs),
      place: deps.askSlot(start.triggeredWallMs, start.cause),
      onWriting: () => unrecorded.recorded(),
      onEnd: (lastEndMs) => starts.ended(lastEndMs),
    });
    running = clip;
    starts.begun();
    void clip.reported.then((outcome) => over(clip, outcome));
    // The ring holds pictures of the next format already.
    if (first.format.number !== newest?.number) clip.change();
    return clip;
  }

  function over(clip: OpenClip, outcome: ClipOutcome): void {
    running = undefined;
    if (outcome.kind === 'refused') unrecorded.refused(outcome.suppressed);
    if (starts.reported(clip, outcome)) heldOffUntilMs = clock.monotonicMs() + HOLD_OFF_MS;
    if (!mayBegin()) return;
    for (const start of starts.behind(clip)) if (begin(start)) return;
  }

  function fragment(next: Fragment): void {
    newest = next.format;
    if (running) running.take(next);
    else if (mayBegin() && !begin(starts.rest())) begin(starts.kept());
  }

  function tick(): void {
    const mediaMs = mediaClock.mediaAt(clock.monotonicMs());
    if (running && mediaMs !== undefined && mediaMs > running.endMs + OVERDUE_MS) running.end();
  }

  /** Ends what runs and waits until it is reported. */
  async function close(): Promise<void> {
    running?.end();
    await running?.reported;
  }

  return {
    fragment,
    motion,
    record: (atMs) =>
      requestClip({
        running: () => running,
        isPaused: () => paused || finished,
        begin: () => begin(starts.at(atMs, { kind: 'request' })),
      }),
    reconfigure: (next) => starts.reconfigure(next),
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
    unrecordedMs: () => (paused ? null : unrecorded.ms()),
    tick,
  };
}
