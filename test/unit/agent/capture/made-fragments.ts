import { readInit, readMoof, type TrackInfo } from '../../../../agent/capture/mp4/boxes.ts';
import type { Fragment, StreamFormat } from '../../../../agent/capture/mp4/fragment.ts';

/** Builds fragmented MP4 by hand, as small as it can be. Timescale 1000: ticks are milliseconds. */

const u32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
};

export function box(type: string, ...payload: Buffer[]): Buffer {
  const body = Buffer.concat(payload);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

export function madeInit({ timescale = 1000 } = {}): Buffer {
  const mdhd = box('mdhd', u32(0, 0, 0, timescale, 0, 0));
  const trex = box('trex', u32(0, 1, 1, 0, 0, 0));
  return Buffer.concat([
    box('ftyp', Buffer.from('mp42')),
    box('moov', box('trak', box('mdia', mdhd)), box('mvex', trex)),
  ]);
}

export interface MadeFragment {
  readonly baseMs: number;
  readonly frameMs?: number;
  readonly frames?: number;
  readonly key?: boolean;
  readonly frameBytes?: number;
  /** Version of `tfdt`: 1 has 64 bit. */
  readonly version?: 0 | 1;
  readonly fill?: number;
}

export function madeMoof(settings: MadeFragment, sequence = 7): Buffer {
  const { baseMs, frameMs = 100, frames = 10, key = false, frameBytes = 20, version = 0 } = settings;
  const samples = Array.from({ length: frames }, (_, index) =>
    u32(frameMs, frameBytes, key && index === 0 ? 0x40 : 0x1_00c0),
  );
  const tfdt =
    version === 0
      ? box('tfdt', u32(0, baseMs))
      : box('tfdt', u32(0x0100_0000, Math.floor(baseMs / 2 ** 32), baseMs % 2 ** 32));
  return box(
    'moof',
    box('mfhd', u32(0, sequence)),
    box('traf', box('tfhd', u32(0, 1)), tfdt, box('trun', u32(0x701, frames, 0), ...samples)),
  );
}

export function madeMdat({ frames = 10, frameBytes = 20, fill = 7 }: MadeFragment): Buffer {
  return box('mdat', Buffer.alloc(frames * frameBytes, fill));
}

export const madeBytes = (settings: MadeFragment) => Buffer.concat([madeMoof(settings), madeMdat(settings)]);

export function madeFormat(number = 1): StreamFormat {
  const init = madeInit();
  return { number, init, track: readInit(init) };
}

export function madeFragment(
  settings: MadeFragment,
  format = madeFormat(),
  arrivedMs = settings.baseMs + 1000,
): Fragment {
  const moof = madeMoof(settings);
  const mdat = madeMdat(settings);
  const info = readMoof(moof, format.track);
  return {
    format,
    moof,
    mdat: [mdat],
    bytes: moof.length + mdat.length,
    info,
    startMs: info.baseTicks,
    endMs: info.baseTicks + info.durationTicks,
    lastSampleMs: info.lastSampleTicks,
    arrivedMs,
  };
}

/** Fragments of one format, as the fragmenter hands them on. */
export function madeFragments(
  settings: readonly MadeFragment[],
  arrivedMs: (one: MadeFragment) => number = ({ baseMs }) => baseMs + 1000,
): { init: Buffer; track: TrackInfo; fragments: Fragment[] } {
  const format = madeFormat();
  const fragments = settings.map((one) => madeFragment(one, format, arrivedMs(one)));
  return { init: format.init, track: format.track, fragments };
}

/** One-second fragments from 0, a key frame every `gop` of them. */
export const seconds = (count: number, gop = 2): MadeFragment[] =>
  Array.from({ length: count }, (_, index) => ({ baseMs: index * 1000, key: index % gop === 0 }));
