import { Failure } from '../../kernel/failure.ts';

/** Reads ISO base media boxes (ISO/IEC 14496-12) that a muxer, a torn file or an attacker may have written.
 *  Invariants
 *  1. Nothing outside the given bytes is read; a size that points outside is refused, never followed.
 *  2. Every loop advances by at least a box header, every table is bounded by the box that holds it.
 *  3. Nothing is changed in place except by the two `rewrite…` functions, on a copy. */

export interface Box {
  readonly type: string;
  /** Offset of the payload, and of the first byte behind the box. */
  readonly start: number;
  readonly end: number;
}

export interface BoxHeader {
  readonly type: string;
  readonly headerBytes: number;
  /** Whole box, header included. */
  readonly bytes: number;
}

/** What the init segment (`ftyp` + `moov`) says about the one video track. */
export interface TrackInfo {
  /** Ticks per second of the track's media. */
  readonly timescale: number;
  readonly defaultSampleTicks: number;
  readonly defaultSampleFlags: number;
  /** What each fragment must name. */
  readonly trackId: number;
}

/** What a `moof` says about its fragment. Ticks are in the track's timescale. */
export interface FragmentInfo {
  readonly baseTicks: number;
  readonly durationTicks: number;
  readonly lastSampleTicks: number;
  readonly samples: number;
  /** Sum of the sample sizes: what the `mdat` must hold. */
  readonly sampleBytes: number;
  readonly startsWithKeyFrame: boolean;
}

const bad = (what: string) =>
  new Failure('corrupt', 'capture.box', `The stream is not a readable fragmented MP4: ${what}`);

/** Header at `offset`, or undefined when not all of its bytes are there yet.
 *  @throws Failure `corrupt` for a size no box can have */
export function readHeader(bytes: Buffer, offset = 0): BoxHeader | undefined {
  if (bytes.length - offset < 8) return undefined;
  const size = bytes.readUInt32BE(offset);
  const type = bytes.toString('latin1', offset + 4, offset + 8);
  if (size !== 1) {
    // Size 0 ("until the end of the file") is what a never-written page looks like: refused.
    if (size < 8) throw bad(`box ${JSON.stringify(type)} of ${size} bytes`);
    return { type, headerBytes: 8, bytes: size };
  }
  if (bytes.length - offset < 16) return undefined;
  const large = bytes.readBigUInt64BE(offset + 8);
  if (large < 16n || large > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(`box of ${large} bytes`);
  return { type, headerBytes: 16, bytes: Number(large) };
}

/** Boxes that fill `start` to `end` exactly. */
export function* boxes(bytes: Buffer, start = 0, end = bytes.length): Generator<Box> {
  let offset = start;
  while (offset < end) {
    const header = readHeader(bytes.subarray(0, end), offset);
    if (!header || offset + header.bytes > end) throw bad('a box reaches past the one it lies in');
    yield { type: header.type, start: offset + header.headerBytes, end: offset + header.bytes };
    offset += header.bytes;
  }
}

const child = (bytes: Buffer, parent: { start: number; end: number }, type: string): Box => {
  for (const box of boxes(bytes, parent.start, parent.end)) if (box.type === type) return box;
  throw bad(`box ${type} is missing`);
};

const u32 = (bytes: Buffer, box: Box, offset: number): number => {
  if (box.start + offset + 4 > box.end) throw bad(`box ${box.type} is too short`);
  return bytes.readUInt32BE(box.start + offset);
};

/** Reads the init segment's single track.
 *  @throws Failure `corrupt` when there is not exactly one track */
export function readInit(init: Buffer): TrackInfo {
  const moov = child(init, { start: 0, end: init.length }, 'moov');
  const tracks = [...boxes(init, moov.start, moov.end)].filter((box) => box.type === 'trak');
  const track = tracks[0];
  if (!track || tracks.length > 1) throw bad(`${tracks.length} tracks where one is expected`);
  const mdhd = child(init, child(init, track, 'mdia'), 'mdhd');
  const timescale = u32(init, mdhd, u32(init, mdhd, 0) >>> 24 === 1 ? 20 : 12);
  if (timescale === 0) throw bad('a timescale of 0');
  const trex = child(init, child(init, moov, 'mvex'), 'trex');
  return {
    timescale,
    defaultSampleTicks: u32(init, trex, 12),
    defaultSampleFlags: u32(init, trex, 20),
    trackId: u32(init, trex, 4),
  };
}

/** `sample_is_non_sync_sample` of ISO/IEC 14496-12, 8.8.3.1. */
const NON_SYNC = 0x1_0000;

/** Reads one `moof` with one track fragment.
 *  @param moof the whole box, header included */
export function readMoof(moof: Buffer, track: TrackInfo): FragmentInfo {
  const traf = trafOf(moof);
  const tfhd = child(moof, traf, 'tfhd');
  const tfhdFlags = u32(moof, tfhd, 0);
  let at = 8 + (tfhdFlags & 0x1 ? 8 : 0) + (tfhdFlags & 0x2 ? 4 : 0);
  const optional = (flag: number, otherwise: number) => {
    if (!(tfhdFlags & flag)) return otherwise;
    at += 4;
    return u32(moof, tfhd, at - 4);
  };
  const defaults = {
    ticks: optional(0x8, track.defaultSampleTicks),
    size: optional(0x10, 0),
    flags: optional(0x20, track.defaultSampleFlags),
  };
  const sum = { ticks: 0, last: 0, samples: 0, bytes: 0, key: false };
  for (const run of boxes(moof, traf.start, traf.end)) {
    if (run.type === 'trun') addRun(moof, run, defaults, sum);
  }
  if (sum.samples === 0) throw bad('a fragment without samples');
  return {
    baseTicks: baseTicks(moof, child(moof, traf, 'tfdt')),
    durationTicks: sum.ticks,
    lastSampleTicks: sum.last,
    samples: sum.samples,
    sampleBytes: sum.bytes,
    startsWithKeyFrame: sum.key,
  };
}

function addRun(
  moof: Buffer,
  run: Box,
  defaults: { ticks: number; size: number; flags: number },
  sum: { ticks: number; last: number; samples: number; bytes: number; key: boolean },
): void {
  const flags = u32(moof, run, 0);
  const count = u32(moof, run, 4);
  let at = 8 + (flags & 0x1 ? 4 : 0);
  const first = flags & 0x4 ? u32(moof, run, at) : undefined;
  if (first !== undefined) at += 4;
  const present = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
  const entryBytes = present * 4;
  if (at + count * entryBytes > run.end - run.start) throw bad('a sample table longer than its box');
  if (count > MAX_SAMPLES) throw bad(`a fragment of ${count} samples`);
  for (let index = 0; index < count; index++, at += entryBytes) {
    let field = at;
    const next = (flag: number, otherwise: number) => {
      if (!(flags & flag)) return otherwise;
      field += 4;
      return u32(moof, run, field - 4);
    };
    const ticks = next(0x100, defaults.ticks);
    sum.bytes += next(0x200, defaults.size);
    const own = next(0x400, defaults.flags);
    if (sum.samples === 0) sum.key = ((index === 0 ? (first ?? own) : own) & NON_SYNC) === 0;
    sum.ticks += ticks;
    sum.last = ticks;
    sum.samples++;
  }
}

/** One second at 1000 frames per second: no camera does more. */
const MAX_SAMPLES = 100_000;

function trafOf(moof: Buffer): Box {
  const [box] = boxes(moof);
  if (!box || box.type !== 'moof') throw bad('a fragment does not begin with moof');
  const tracks = [...boxes(moof, box.start, box.end)].filter(({ type }) => type === 'traf');
  if (!tracks[0] || tracks.length > 1) throw bad(`${tracks.length} track fragments where one is expected`);
  return tracks[0];
}

function baseTicks(moof: Buffer, tfdt: Box): number {
  if (u32(moof, tfdt, 0) >>> 24 === 0) return u32(moof, tfdt, 4);
  const base = u32(moof, tfdt, 4) * 2 ** 32 + u32(moof, tfdt, 8);
  if (base > Number.MAX_SAFE_INTEGER) throw bad('a base time beyond all bounds');
  return base;
}

/** Which track a `moof` says its samples belong to. */
export const fragmentTrackId = (moof: Buffer): number => u32(moof, child(moof, trafOf(moof), 'tfhd'), 4);

/** Where a `moof` says its first run of samples begins; undefined when it leaves that to the reader. */
export function runOffset(moof: Buffer): number | undefined {
  const run = child(moof, trafOf(moof), 'trun');
  return u32(moof, run, 0) & 0x1 ? u32(moof, run, 8) : undefined;
}

/** A copy of the `moof` with another place in the file: sequence number, if given, and base time. Samples are not touched. */
export function rewriteMoof(moof: Buffer, place: { sequence?: number; baseTicks: number }): Buffer {
  const copy = Buffer.from(moof);
  const [box] = boxes(copy);
  if (!box) throw bad('an empty fragment');
  const mfhd = child(copy, box, 'mfhd');
  u32(copy, mfhd, 4);
  if (place.sequence !== undefined) copy.writeUInt32BE(place.sequence, mfhd.start + 4);
  const tfdt = child(copy, trafOf(copy), 'tfdt');
  const version = u32(copy, tfdt, 0) >>> 24;
  u32(copy, tfdt, version === 0 ? 4 : 8);
  if (version === 0) copy.writeUInt32BE(place.baseTicks, tfdt.start + 4);
  else copy.writeBigUInt64BE(BigInt(place.baseTicks), tfdt.start + 4);
  return copy;
}
