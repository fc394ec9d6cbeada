import { type Bits, createBits, unreadable } from './bits.ts';
import type { Coding, Slice, Sps, UnitKind } from './coding.ts';

/** What of H.264 (ITU-T H.264) must be read to cut a camera's stream into clips that decode: which parameter sets a
 *  picture needs, and where pictures begin. Input comes from the network: nothing outside the given bytes is read, and
 *  every loop is bounded. */

const UNIT = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const;

/** Type of a NAL unit without start code. */
const typeOf = (unit: Buffer): number => (unit[0] ?? 0) & 0x1f;

/** @throws Failure `corrupt` */
export function readSps(unit: Buffer): Sps {
  const bits = createBits(unit.subarray(1));
  const profileIdc = bits.fixed(8);
  bits.fixed(16);
  const id = bits.unsigned(31);
  let chroma = 1;
  if (HIGH_PROFILES.has(profileIdc)) {
    chroma = bits.unsigned(3);
    if (chroma === 3) bits.fixed(1);
    bits.unsigned(6);
    bits.unsigned(6);
    bits.fixed(1);
    if (bits.fixed(1)) skipScaling(bits, chroma === 3 ? 12 : 8);
  }
  bits.unsigned(12);
  const order = bits.unsigned(2);
  if (order === 0) bits.unsigned(12);
  if (order === 1) {
    bits.fixed(1);
    bits.signed();
    bits.signed();
    for (let left = bits.unsigned(255); left > 0; left--) bits.signed();
  }
  bits.unsigned(16);
  bits.fixed(1);
  const across = bits.unsigned(MAX_SIDE_BLOCKS) + 1;
  const down = bits.unsigned(MAX_SIDE_BLOCKS) + 1;
  const frames = bits.fixed(1);
  if (!frames) bits.fixed(1);
  bits.fixed(1);
  const cut = { x: 0, y: 0 };
  if (bits.fixed(1)) {
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
    const unitY = (chroma === 1 ? 2 : 1) * (2 - frames);
    cut.x = (bits.unsigned() + bits.unsigned()) * unitX;
    cut.y = (bits.unsigned() + bits.unsigned()) * unitY;
  }
  const widthPx = across * 16 - cut.x;
  const heightPx = down * 16 * (2 - frames) - cut.y;
  if (widthPx < 1 || heightPx < 1) throw unreadable('a picture without a size');
  return { id, profile: unit.subarray(1, 4), widthPx, heightPx };
}

/** Profiles whose sequence parameter set names its chroma format (7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134]);
/** 16,384 pixels. */
const MAX_SIDE_BLOCKS = 1024;

function skipScaling(bits: Bits, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!bits.fixed(1)) continue;
    let next = 8;
    for (let at = 0; at < (list < 6 ? 16 : 64) && next !== 0; at++) next = (next + bits.signed() + 256) % 256;
  }
}

/** @throws Failure `corrupt` */
function readPps(unit: Buffer): { readonly id: number; readonly spsId: number } {
  const bits = createBits(unit.subarray(1));
  return { id: bits.unsigned(255), spsId: bits.unsigned(31) };
}

/** The beginning of a slice's header. @throws Failure `corrupt` */
function readSlice(unit: Buffer): Slice {
  // Three numbers of at most 63 bits.
  const bits = createBits(unit.subarray(1, 40));
  const first = bits.unsigned() === 0;
  const type = bits.unsigned(9) % 5;
  return {
    first,
    ppsId: bits.unsigned(255),
    access: typeOf(unit) === UNIT.idr ? 'closed' : undefined,
    intra: type === TYPE.i,
    order: { kind: 'said', reordered: type === TYPE.b },
    isLeading: type === TYPE.b,
  };
}

const TYPE = { b: 1, i: 2 } as const;

/** Whether a supplemental message says that decoding can begin with its picture, although it is no IDR picture
 *  (D.2.8): exact from the picture itself on. */
function isRecoveryPoint(unit: Buffer): boolean {
  let at = 1;
  const number = () => {
    let sum = 0;
    while (unit[at] === 0xff && sum < unit.length * 255) {
      sum += 255;
      at++;
    }
    return sum + (unit[at++] ?? 0);
  };
  while (at + 2 < unit.length) {
    const kind = number();
    const bytes = number();
    if (kind === RECOVERY_POINT) return createBits(unit.subarray(at)).unsigned() === 0;
    at += bytes;
  }
  return false;
}

const RECOVERY_POINT = 6;

/** ITU-T H.264, annex A. */
const PROFILES: Readonly<Record<number, string>> = {
  66: 'Baseline',
  77: 'Main',
  88: 'Extended',
  100: 'High',
  110: 'High 10',
  122: 'High 4:2:2',
  244: 'High 4:4:4',
};

const KINDS = new Map<number, UnitKind>([
  [UNIT.slice, 'slice'],
  [UNIT.idr, 'slice'],
  [UNIT.sei, 'supplement'],
  [UNIT.sps, 'sps'],
  [UNIT.pps, 'pps'],
  [UNIT.delimiter, 'delimiter'],
]);

export const H264: Coding = {
  encoding: 'H264',
  plain: 'H.264',
  kindOf: (unit) => KINDS.get(typeOf(unit)) ?? 'other',
  readSps,
  readPps,
  readSlice,
  isRecoveryPoint,
  profileOf: ({ profile: [idc = 0, , level = 0] }) =>
    `${PROFILES[idc] ?? `profile ${idc}`} ${(level / 10).toFixed(1)}`,
};
