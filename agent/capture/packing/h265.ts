import { type Bits, createBits, unreadable } from './bits.ts';
import type { Coding, Pps, Slice, Sps, UnitKind } from './coding.ts';

/** What of H.265 (ITU-T H.265) must be read to cut a camera's stream into clips that decode. */

/** NAL unit types (table 7-1). Slices lie below 32; those from 16 to 23 are pictures that decoding can begin with. */
const FIRST_NO_SLICE = 32;
const ACCESS = { first: 16, idrs: [19, 20], last: 23 } as const;
/** Leading pictures that need one before the key frame they follow. */
const SKIPPED_LEADING: readonly number[] = [8, 9];
/** 22 to 31 are reserved: nobody knows how to read them. */
const FIRST_RESERVED = 22;
const KINDS = new Map<number, UnitKind>([
  [32, 'vps'],
  [33, 'sps'],
  [34, 'pps'],
  [35, 'delimiter'],
  // End of sequence, end of stream.
  [36, 'behind'],
  [37, 'behind'],
  [39, 'supplement'],
  [40, 'behind'],
]);
const HEADER_BYTES = 2;
/** Enough of a slice's header for all that is read of it. */
const SLICE_BYTES = 40;
const MAX_SIDE_PX = 16_384;
const PROFILE_BYTES = 12;

const typeOf = (unit: Buffer): number => ((unit[0] ?? 0) >> 1) & 0x3f;
const layerOf = (unit: Buffer): number => (((unit[0] ?? 0) & 1) << 5) | ((unit[1] ?? 0) >> 3);

function kindOf(unit: Buffer): UnitKind {
  if (layerOf(unit) > 0) return 'foreign';
  const type = typeOf(unit);
  if (type >= FIRST_NO_SLICE) return KINDS.get(type) ?? 'other';
  return type >= FIRST_RESERVED ? 'foreign' : 'slice';
}

const bitsOf = (unit: Buffer): Bits => createBits(unit.subarray(HEADER_BYTES));

/** Video parameter set, 7.3.2.1. */
const readVps = (unit: Buffer): number => bitsOf(unit).fixed(4);

/** Sequence parameter set, 7.3.2.2. */
function readSps(unit: Buffer): Sps {
  const bits = bitsOf(unit);
  const vpsId = bits.fixed(4);
  const furtherLayers = bits.fixed(3);
  if (furtherLayers > 6) throw unreadable('8 temporal layers where 7 are the most');
  const isTemporalNested = bits.fixed(1) === 1;
  const profile = Buffer.from(Array.from({ length: PROFILE_BYTES }, () => bits.fixed(8)));
  skipLayers(bits, furtherLayers);
  const id = bits.unsigned(15);
  const chroma = bits.unsigned(3);
  const hasSeparatePlanes = chroma === 3 && bits.fixed(1) === 1;
  const coded = { widthPx: bits.unsigned(MAX_SIDE_PX), heightPx: bits.unsigned(MAX_SIDE_PX) };
  const cut = { x: 0, y: 0 };
  if (bits.fixed(1)) {
    cut.x = (bits.unsigned() + bits.unsigned()) * (chroma === 1 || chroma === 2 ? 2 : 1);
    cut.y = (bits.unsigned() + bits.unsigned()) * (chroma === 1 ? 2 : 1);
  }
  const [widthPx, heightPx] = [coded.widthPx - cut.x, coded.heightPx - cut.y];
  if (widthPx < 1 || heightPx < 1) throw unreadable('a picture without a size');
  const [lumaBits, chromaBits] = [bits.unsigned(8) + 8, bits.unsigned(8) + 8];
  const orderBits = bits.unsigned(12) + 4;
  const temporalLayers = furtherLayers + 1;
  const h265 = {
    ...{ vpsId, chroma, lumaBits, chromaBits, temporalLayers },
    ...{ isTemporalNested, hasSeparatePlanes, orderBits },
  };
  return { id, profile, widthPx, heightPx, h265 };
}

/** What `profile_tier_level` (7.3.3) says of the lower temporal layers. */
function skipLayers(bits: Bits, layers: number): void {
  if (layers === 0) return;
  const said = Array.from({ length: 8 }, () => ({ profile: bits.fixed(1), level: bits.fixed(1) }));
  for (const { profile, level } of said.slice(0, layers)) {
    if (profile) for (let byte = 0; byte < PROFILE_BYTES - 1; byte++) bits.fixed(8);
    if (level) bits.fixed(8);
  }
}

/** Picture parameter set, 7.3.2.3. */
function readPps(unit: Buffer): Pps {
  const bits = bitsOf(unit);
  const [id, spsId] = [bits.unsigned(63), bits.unsigned(15)];
  bits.fixed(1);
  return { id, spsId, hasOutputFlag: bits.fixed(1) === 1, extraBits: bits.fixed(3) };
}

/** The beginning of a slice's header (7.3.6.1), for its first one up to its place in the order. */
function readSlice(unit: Buffer, setsOf: Parameters<Coding['readSlice']>[1]): Slice {
  const type = typeOf(unit);
  const bits = createBits(unit.subarray(HEADER_BYTES, SLICE_BYTES));
  const first = bits.fixed(1) === 1;
  const isAccess = type >= ACCESS.first && type <= ACCESS.last;
  if (isAccess) bits.fixed(1);
  const ppsId = bits.unsigned(63);
  const isIdr = (ACCESS.idrs as readonly number[]).includes(type);
  const sets = first ? setsOf(ppsId) : undefined;
  const known = { first, ppsId, intra: isAccess, isLeading: SKIPPED_LEADING.includes(type) };
  const access = isAccess ? (isIdr ? 'closed' : 'open') : undefined;
  if (!sets?.sps.h265) return { ...known, access, order: { kind: 'said', reordered: false } };
  const { orderBits, hasSeparatePlanes } = sets.sps.h265;
  bits.fixed(sets.pps.extraBits ?? 0);
  bits.unsigned(2);
  if (sets.pps.hasOutputFlag) bits.fixed(1);
  if (hasSeparatePlanes) bits.fixed(2);
  return {
    ...known,
    access,
    order: { kind: 'counted', count: isIdr ? 0 : bits.fixed(orderBits), bits: orderBits },
  };
}

/** General profiles (annex A). */
const PROFILES: Readonly<Record<number, string>> = {
  1: 'Main',
  2: 'Main 10',
  3: 'Main Still Picture',
  4: 'Range Extensions',
};

export const H265: Coding = {
  encoding: 'H265',
  plain: 'H.265',
  kindOf,
  readVps,
  readSps,
  readPps,
  readSlice,
  // Decoding begins with a picture whose type says so; gradual refresh without such pictures is not supported.
  isRecoveryPoint: () => false,
  profileOf: ({ profile }) => {
    const idc = (profile[0] ?? 0) & 0x1f;
    return `${PROFILES[idc] ?? `profile ${idc}`} ${((profile[PROFILE_BYTES - 1] ?? 0) / 30).toFixed(1)}`;
  },
};
