import { type StreamSets } from '../packing/known-sets.ts';
import { box, u16, u32 } from './box-writing.ts';

/** How a track's pictures are coded (ISO/IEC 14496-15): `avc1`, or `hvc1`, which Safari needs: parameter sets stand here
 *  and nowhere else. */
export function sampleEntry(sets: StreamSets): Buffer {
  const { widthPx, heightPx, h265 } = sets.sps;
  return box(
    h265 ? 'hvc1' : 'avc1',
    u32(0),
    u16(0, 1),
    Buffer.alloc(16),
    u16(widthPx, heightPx),
    u32(0x48_0000, 0x48_0000, 0),
    u16(1),
    Buffer.alloc(32),
    u16(24, 0xffff),
    h265 ? hvcC(sets, h265) : avcC(sets),
  );
}

const withLengths = (list: readonly Buffer[]) => list.flatMap((unit) => [u16(unit.length), unit]);

const avcC = ({ sps, spsUnit, ppsUnits }: StreamSets) =>
  box(
    'avcC',
    Buffer.from([1, ...sps.profile, 0xff, 0xe1]),
    ...withLengths([spsUnit]),
    Buffer.from([ppsUnits.length]),
    ...withLengths(ppsUnits),
  );

/** NAL unit types of the parameter sets, and the mark that all of their kind are here. */
const VPS = 32;
const SPS = 33;
const PPS = 34;
const COMPLETE = 0x80;

function hvcC(
  { sps, vpsUnit, spsUnit, ppsUnits }: StreamSets,
  h265: NonNullable<StreamSets['sps']['h265']>,
): Buffer {
  const arrays = [
    { type: VPS, units: vpsUnit ? [vpsUnit] : [] },
    { type: SPS, units: [spsUnit] },
    { type: PPS, units: ppsUnits },
  ].filter(({ units }) => units.length > 0);
  const layers = (h265.temporalLayers << 3) | (h265.isTemporalNested ? 0b100 : 0);
  return box(
    'hvcC',
    Buffer.from([1]),
    sps.profile,
    // Nothing is said of parallel decoding and of the average rate; lengths of units have four bytes.
    u16(0xf000),
    Buffer.from([0xfc, 0xfc | h265.chroma, 0xf8 | (h265.lumaBits - 8), 0xf8 | (h265.chromaBits - 8), 0, 0]),
    Buffer.from([layers | 0b11, arrays.length]),
    ...arrays.flatMap(({ type, units }) => [
      Buffer.from([COMPLETE | type]),
      u16(units.length),
      ...withLengths(units),
    ]),
  );
}
