import type { SuppressionReason } from '@dachawatch/contracts';
import { Failure } from '../../../kernel/failure.ts';
import type { WrittenClip } from '../../../ledger/ledger.ts';
import type { Cause } from '../../../motion/motion.ts';
import type { Fragment, StreamFormat } from '../../mp4/fragment.ts';
import { type ClipEnd, type ClipLength, createClipEnd } from './clip-end.ts';
import type { ClipWriter, ClipWriterDeps } from './clip-writer.ts';

/** What shall be on a clip. Media times, milliseconds. */
export interface ClipStart {
  readonly triggerMs: number;
  readonly triggeredWallMs: number;
  readonly cause: Cause;
  readonly fromMs: number;
  /** Undefined: as long as is set. */
  readonly untilMs: number | undefined;
  /** How far motion may extend it; undefined: as far as is set. */
  readonly capMs: number | undefined;
  /** Earlier formats are on another clip. */
  readonly formatFrom: number;
}

export interface ClipSlot {
  readonly clipId: string;
  readonly partFile: string;
}

/** No place is given, and that is no fault: for this reason. */
export interface NoSlot {
  readonly suppressed: SuppressionReason;
}

/** What became of a clip. */
export type ClipOutcome =
  | { readonly kind: 'whole' }
  /** No place was given: nothing can be recorded now, or shall not be, for this reason. */
  | { readonly kind: 'refused'; readonly suppressed?: SuppressionReason }
  /** The disk failed after this much of it, milliseconds. */
  | { readonly kind: 'cut'; readonly certainMs: number }
  /** The disk took nothing of it. */
  | { readonly kind: 'lost' };

/** Media times, milliseconds. */
export interface OpenClip extends Pick<ClipEnd, 'endMs' | 'lastEndMs' | 'isEnded' | 'beyond' | 'moved'> {
  readonly start: ClipStart;
  /** Of its first fragment. */
  readonly startMs: number;
  readonly capMs: number;
  readonly format: StreamFormat;
  /** Undefined: it may not be recorded. */
  readonly place: Promise<ClipSlot | NoSlot | undefined>;
  /** The camera changed its format: what is still to come is for another clip. */
  readonly isChanged: boolean;
  readonly isBeingWritten: boolean;
  take(fragment: Fragment): void;
  /** The camera changed its format. */
  change(): void;
  end(): void;
  /** Settles when it is reported. */
  readonly reported: Promise<ClipOutcome>;
}

export interface OpenClipDeps {
  readonly start: ClipStart;
  /** From the ring: at least one, and of one format. */
  readonly fragments: readonly [Fragment, ...Fragment[]];
  readonly length: ClipLength;
  readonly place: Promise<ClipSlot | NoSlot | undefined>;
  createWriter(deps: ClipWriterDeps): ClipWriter;
  /** From now on what comes is written. */
  onWriting(): void;
  begun?(clipId: string): void;
  /** It takes no more from this media time on. */
  onEnd(lastEndMs: number): void;
  written(clipId: string, clip: WrittenClip): void;
  abandoned(clipId: string, reason: string): void;
}

/** What the ring holds at most, all at once, and what a slow disk may leave waiting besides. The ring's bytes are
 *  shared with it. */
const MAX_QUEUED_BYTES = 192 * 1024 * 1024;

/** One clip from its first fragment to its report.
 *  Invariants
 *  1. It holds one format, and ends with the last fragment that still fits before `endMs`. While something moves there,
 *     it goes on to the next key frame, so that another clip can begin exactly where this one ends.
 *  2. What comes before its place is known waits, in order.
 *  3. The place that was given is answered by `written` or `abandoned`, once. */
export function openClip(deps: OpenClipDeps): OpenClip {
  const { start, place } = deps;
  const { startMs, format } = deps.fragments[0];
  const { promise: ended, resolve: finish } = Promise.withResolvers<void>();
  /** What came before the place was known. */
  const waiting: Fragment[] = [...deps.fragments];
  const span = createClipEnd(deps.length, waiting.at(-1) as Fragment);
  let isChanged = false;
  let writer: ClipWriter | undefined;

  function take(next: Fragment): void {
    if (span.isEnded) return;
    if (format.number !== next.format.number) return change();
    if (span.isBefore(next)) return end();
    if (writer) writer.append(next);
    else waiting.push(next);
    if (span.took(next)) end();
  }

  function change(): void {
    isChanged = true;
    end();
  }

  function end(): void {
    if (span.isEnded) return;
    span.end();
    deps.onEnd(span.lastEndMs);
    finish();
  }

  async function write(): Promise<ClipOutcome> {
    const given = await place;
    if (!given || 'suppressed' in given) return { kind: 'refused', ...given };
    writer = deps.createWriter({
      file: given.partFile,
      init: format.init,
      timescale: format.track.timescale,
      maxQueuedBytes: MAX_QUEUED_BYTES,
      // Fragments go on counting until it is closed: they are what the disk did not take.
      onFailure: () => finish(),
    });
    deps.onWriting();
    deps.begun?.(given.clipId);
    for (const fragment of waiting.splice(0)) writer.append(fragment);
    await ended;
    return await close(given, writer);
  }

  async function close({ clipId }: ClipSlot, written: ClipWriter): Promise<ClipOutcome> {
    try {
      const { cutBy, ...closed } = await written.close();
      const preRollMs = Math.round(start.triggerMs - startMs);
      deps.written(clipId, {
        ...closed,
        preRollMs: Math.max(0, preRollMs),
        startedMs: Math.round(start.triggeredWallMs - preRollMs),
        ...(cutBy ? { detail: `cut off, because the disk failed (${cutBy.kind}: ${cutBy.message})` } : {}),
      });
      return cutBy ? { kind: 'cut', certainMs: closed.durationMs } : { kind: 'whole' };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      deps.abandoned(clipId, `${error.kind}: ${error.message}`);
      return { kind: 'lost' };
    }
  }

  return {
    start,
    startMs,
    capMs: deps.length.capMs,
    format,
    place,
    get endMs() {
      return span.endMs;
    },
    get lastEndMs() {
      return span.lastEndMs;
    },
    get beyond() {
      return span.beyond;
    },
    get isEnded() {
      return span.isEnded;
    },
    get isChanged() {
      return isChanged;
    },
    get isBeingWritten() {
      return writer !== undefined;
    },
    take,
    moved: (motion) => span.moved(motion),
    change,
    end,
    reported: write(),
  };
}
