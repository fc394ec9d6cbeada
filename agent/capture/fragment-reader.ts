import {
  readHeader,
  readInit,
  readMoof,
  type BoxHeader,
  type FragmentInfo,
  type TrackInfo,
} from './boxes.ts';
import { Failure } from '../kernel/failure.ts';

/** One `moof` + `mdat` pair, about a second of video. The bytes are the muxer's, never copied, never changed. */
export interface Fragment {
  readonly moof: Buffer;
  /** The `mdat` box, header included, in the pieces it came in. */
  readonly mdat: readonly Buffer[];
  readonly bytes: number;
  readonly info: FragmentInfo;
  /** Place on the media time line, milliseconds since the muxer started. */
  readonly startMs: number;
  readonly endMs: number;
  readonly lastSampleMs: number;
  /** Monotonic milliseconds when the last byte came. */
  readonly arrivedMs: number;
}

export interface FragmentReader {
  /** Takes the next bytes of the stream, cut anywhere.
   *  @throws Failure `corrupt` when they are no fragmented MP4 with one track; the reader is of no use then */
  push(chunk: Buffer, arrivedMs: number): void;
}

/** Puts fragments together again from a muxer's buffers.
 *  Invariants
 *  1. `onInit` is called once, before the first fragment.
 *  2. A fragment is handed on only when its last byte is there and its sample sizes add up to its `mdat`.
 *  3. At most `maxBoxBytes` are held for a fragment that is not yet complete. */
export function createFragmentReader(deps: {
  readonly maxBoxBytes: number;
  onInit(init: Buffer, track: TrackInfo): void;
  onFragment(fragment: Fragment): void;
}): FragmentReader {
  let pieces: Buffer[] = [];
  let held = 0;
  let wanted: BoxHeader | undefined;
  let init: Buffer[] = [];
  let track: TrackInfo | undefined;
  let moof: Buffer | undefined;

  function push(chunk: Buffer, arrivedMs: number): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (!wanted) {
        rest = takeHeader(rest);
        continue;
      }
      const piece = rest.subarray(0, wanted.bytes - held);
      if (piece.length > 0) pieces.push(piece);
      held += piece.length;
      rest = rest.subarray(piece.length);
      if (held === wanted.bytes) finish(wanted, arrivedMs);
    }
  }

  /** Collects bytes until a header can be read; hands them back as the beginning of the box. */
  function takeHeader(bytes: Buffer): Buffer {
    const all = pieces.length > 0 ? Buffer.concat([...pieces, bytes]) : bytes;
    const header = readHeader(all);
    if (!header) {
      pieces = [all];
      return all.subarray(all.length);
    }
    if (header.bytes > deps.maxBoxBytes)
      throw new Failure(
        'corrupt',
        'capture.box-size',
        `The stream has a box of ${header.bytes} bytes, more than ${deps.maxBoxBytes}`,
      );
    pieces = [];
    held = 0;
    wanted = header;
    return all;
  }

  function finish({ type, bytes, headerBytes }: BoxHeader, arrivedMs: number): void {
    const box = pieces;
    pieces = [];
    held = 0;
    wanted = undefined;
    if (type === 'ftyp') init = box;
    if (type === 'moov') {
      if (track)
        throw new Failure('corrupt', 'capture.second-init', 'The stream changed its format in the middle');
      const whole = Buffer.concat([...init, ...box]);
      track = readInit(whole);
      deps.onInit(whole, track);
    }
    if (type === 'moof') moof = Buffer.concat(box);
    if (type === 'mdat') fragment(box, bytes, bytes - headerBytes, arrivedMs);
  }

  function fragment(mdat: Buffer[], bytes: number, payloadBytes: number, arrivedMs: number): void {
    if (!track || !moof)
      throw new Failure('corrupt', 'capture.box-order', 'The stream has data before its index');
    const info = readMoof(moof, track);
    if (info.sampleBytes !== payloadBytes)
      throw new Failure('corrupt', 'capture.sample-sizes', 'A fragment does not hold the samples it names');
    const { timescale } = track;
    const ms = (ticks: number) => (ticks * 1000) / timescale;
    const next: Fragment = {
      moof,
      mdat,
      bytes: moof.length + bytes,
      info,
      startMs: ms(info.baseTicks),
      endMs: ms(info.baseTicks + info.durationTicks),
      lastSampleMs: ms(info.lastSampleTicks),
      arrivedMs,
    };
    moof = undefined;
    deps.onFragment(next);
  }

  return { push };
}
