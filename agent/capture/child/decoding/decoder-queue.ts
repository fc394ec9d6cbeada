import { accessUnit } from '../../packing/access-unit.ts';
import type { RunningPipeline, Waiting } from '../gstreamer.ts';
import type { HeldPicture } from './held-pictures.ts';

/** Ten seconds of most cameras: what is decoded so late is not seen in time. */
const MAX_WAITING = { buffers: 150, bytes: 32 * 1024 * 1024 } as const;
/** What a decoder that has nothing to do has not shown by then, it dropped. */
const DROPPED_MS = 500;
/** Pictures that are decoded again are shown to the decoder this far behind those before them. */
const AGAIN_MS = 40;

interface Given {
  readonly atMs: number;
  readonly givenMs: number;
  /** It was decoded again later, or only because later ones need it. */
  isVoid: boolean;
}

export interface DecoderQueue {
  /** @returns whether it was taken: a decoder behind which too much waits goes on with a key picture */
  give(picture: HeldPicture, nowMs: number): boolean;
  /** What was given so far is of no interest any more when it comes out. */
  voidAll(): void;
  /** A picture came out.
   *  @returns when it was taken, monotonic milliseconds; undefined: it is of no interest */
  out(nowMs: number): number | undefined;
  /** Too much waits: it goes on with the next key picture. */
  isBehind(): boolean;
  /** Nothing is on its way. */
  isEmpty(): boolean;
  /** When the picture that comes out last of those on their way was taken; undefined: there is none. */
  newestMs(): number | undefined;
  /** Pictures given since the start. */
  readonly given: number;
  /** Pictures of those that never came out, or so late that they were given up. */
  readonly missed: number;
}

/** What is on its way through the decoder, which tells nothing of a picture that comes out but its pixels: one comes out
 *  for each that went in, in the order in which they are shown.
 *  Invariants
 *  1. What waits for the decoder is bounded: a machine that cannot follow goes on with a key picture.
 *  2. Where the decoder drops a picture, times are wrong by one picture, until it has nothing to do for half a second. */
export function createDecoderQueue(
  decoder: () => Pick<RunningPipeline, 'push' | 'waiting'> | undefined,
): DecoderQueue {
  /** In the order in which they are shown. */
  let onWay: Given[] = [];
  let behind = false;
  let given = 0;
  let missed = 0;
  let stampMs = 0;
  let lastAtMs: number | undefined;

  /** The decoder's own time line, which only goes forward, also when pictures are decoded again. */
  function stampOf(atMs: number, reordered: boolean): number {
    const sinceMs = lastAtMs === undefined ? 0 : atMs - lastAtMs;
    if (reordered) return Math.max(0, stampMs + sinceMs);
    lastAtMs = atMs;
    stampMs += sinceMs > 0 ? sinceMs : AGAIN_MS;
    return stampMs;
  }

  function forgetDropped(nowMs: number): void {
    const before = onWay.length;
    onWay = onWay.filter(({ givenMs }) => nowMs - givenMs <= DROPPED_MS);
    missed += before - onWay.length;
  }

  return {
    give({ picture, atMs }, nowMs) {
      const to = decoder();
      if (!to) return false;
      const waiting = to.waiting();
      if (waiting.buffers === 0) forgetDropped(nowMs);
      if (picture.sets) behind = false;
      behind ||= isMuch(waiting);
      if (behind) return false;
      to.push(accessUnit(picture), stampOf(atMs, picture.reordered));
      given++;
      let at = onWay.length;
      if (picture.reordered) while (at > 0 && (onWay[at - 1] as Given).atMs > atMs) at--;
      onWay.splice(at, 0, { atMs, givenMs: nowMs, isVoid: false });
      return true;
    },
    voidAll: () => {
      for (const one of onWay) one.isVoid = true;
    },
    out: (nowMs) => {
      const one = onWay.shift();
      if (one?.isVoid) return undefined;
      return one?.atMs ?? nowMs;
    },
    isBehind: () => behind,
    isEmpty: () => onWay.length === 0,
    newestMs: () => onWay.at(-1)?.atMs,
    get given() {
      return given;
    },
    get missed() {
      return missed;
    },
  };
}

const isMuch = ({ buffers, bytes }: Waiting): boolean =>
  buffers >= MAX_WAITING.buffers || bytes >= MAX_WAITING.bytes;
