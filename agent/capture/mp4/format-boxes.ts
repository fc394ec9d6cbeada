import type { StreamSets } from '../packing/known-sets.ts';
import { box, full, u16, u32 } from './box-writing.ts';
import { sampleEntry } from './sample-entries.ts';

/** Writes fragmented MP4 with one track of pictures (ISO/IEC 14496-12 and -15). */

/** Ticks a second: those of RTP video, so that a camera's stamps are not rounded. */
export const TIMESCALE = 90_000;
const TRACK_ID = 1;
/** Sync, and depending on others. ISO/IEC 14496-12, 8.8.3.1. */
const KEY_FLAGS = 0x0200_0000;
const OTHER_FLAGS = 0x0101_0000;

export interface Sample {
  readonly bytes: number;
  readonly ticks: number;
  /** From when it is decoded to when it is shown. */
  readonly compositionTicks: number;
  readonly key: boolean;
}

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000);

/** `ftyp` and `moov`.
 *  @param delayTicks how much later than decoded the first picture is shown: not 0 where there are B pictures */
export function initSegment(sets: StreamSets, delayTicks: number): Buffer {
  const { widthPx, heightPx } = sets.sps;
  const stbl = box(
    'stbl',
    full('stsd', 0, 0, u32(1), sampleEntry(sets)),
    full('stts', 0, 0, u32(0)),
    full('stsc', 0, 0, u32(0)),
    full('stsz', 0, 0, u32(0, 0)),
    full('stco', 0, 0, u32(0)),
  );
  const minf = box(
    'minf',
    full('vmhd', 0, 1, u32(0, 0)),
    box('dinf', full('dref', 0, 0, u32(1), full('url ', 0, 1))),
    stbl,
  );
  const mdia = box(
    'mdia',
    // Language `und`.
    full('mdhd', 0, 0, u32(0, 0, TIMESCALE, 0), u16(0x55c4, 0)),
    full('hdlr', 0, 0, u32(0), Buffer.from('vide'), u32(0, 0, 0), Buffer.from('video\0')),
    minf,
  );
  const trak = box(
    'trak',
    full(
      'tkhd',
      0,
      3,
      u32(0, 0, TRACK_ID, 0, 0, 0, 0, 0, 0),
      MATRIX,
      u32(widthPx * 65_536, heightPx * 65_536),
    ),
    ...(delayTicks > 0 ? [box('edts', full('elst', 0, 0, u32(1, 0, delayTicks, 0x10000)))] : []),
    mdia,
  );
  const mvex = box('mvex', full('trex', 0, 0, u32(TRACK_ID, 1, 0, 0, OTHER_FLAGS)));
  const next = u32(TRACK_ID + 1);
  const mvhd = full(
    'mvhd',
    0,
    0,
    u32(0, 0, TIMESCALE, 0, 0x10000, 0x0100_0000, 0, 0),
    MATRIX,
    Buffer.alloc(24),
    next,
  );
  const brand = sets.encoding === 'H265' ? 'hvc1' : 'avc1';
  const brands = Buffer.from(`isom\0\0\x02\0isomiso6${brand}mp41`, 'latin1');
  return Buffer.concat([box('ftyp', brands), box('moov', mvhd, trak, mvex)]);
}

const TFHD_DEFAULT_BASE_IS_MOOF = 0x02_0000;
/** Data offset; each sample has its duration, size, flags and composition offset. */
const TRUN_FLAGS = 0xf01;

/** A fragment's index; its `mdat` follows with a header of eight bytes. Number and base time are rewritten for each
 *  clip. */
export function fragmentIndex(samples: readonly Sample[], baseTicks: number): Buffer {
  const table = Buffer.alloc(samples.length * 16);
  for (const [index, { bytes, ticks, compositionTicks, key }] of samples.entries()) {
    table.writeUInt32BE(ticks, index * 16);
    table.writeUInt32BE(bytes, index * 16 + 4);
    table.writeUInt32BE(key ? KEY_FLAGS : OTHER_FLAGS, index * 16 + 8);
    table.writeInt32BE(compositionTicks, index * 16 + 12);
  }
  const base = Buffer.alloc(8);
  base.writeBigUInt64BE(BigInt(baseTicks));
  const traf = (offset: number) =>
    box(
      'traf',
      full('tfhd', 0, TFHD_DEFAULT_BASE_IS_MOOF, u32(TRACK_ID)),
      full('tfdt', 1, 0, base),
      full('trun', 1, TRUN_FLAGS, u32(samples.length, offset), table),
    );
  const mfhd = full('mfhd', 0, 0, u32(0));
  const bytes = 8 + mfhd.length + traf(0).length;
  return box('moof', mfhd, traf(bytes + 8));
}

export const dataHeader = (payloadBytes: number): Buffer =>
  Buffer.concat([u32(payloadBytes + 8), Buffer.from('mdat', 'latin1')]);
