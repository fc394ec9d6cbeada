import { Failure } from '../../kernel/failure.ts';

/** What of H.264 (ITU-T H.264) must be read to cut a camera's stream into clips that decode: which parameter sets a
 *  picture needs, and where pictures begin. Input comes from the network: nothing outside the given bytes is read, and
 *  every loop is bounded. */

export const UNIT = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const;

/** Type of a NAL unit without start code. */
export const typeOf = (unit: Buffer): number => (unit[0] ?? 0) & 0x1f;

export interface Sps {
  readonly id: number;
  /** `profile_idc`, the constraint flags and `level_idc`, as `avcC` repeats them. */
  readonly profile: Buffer;
  /** Size of the picture that is shown. */
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface Slice {
  /** It begins its picture. */
  readonly first: boolean;
  /** P, B, I: 0, 1, 2 (SP and SI: 3, 4). */
  readonly type: number;
  readonly ppsId: number;
}

const bad = (what: string) => new Failure('corrupt', 'capture.h264', `The camera sends H.264 with ${what}`);

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
  if (widthPx < 1 || heightPx < 1) throw bad('a picture without a size');
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
export function readPps(unit: Buffer): { readonly id: number; readonly spsId: number } {
  const bits = createBits(unit.subarray(1));
  return { id: bits.unsigned(255), spsId: bits.unsigned(31) };
}

/** The beginning of a slice's header. @throws Failure `corrupt` */
export function readSlice(unit: Buffer): Slice {
  // Three numbers of at most 63 bits.
  const bits = createBits(unit.subarray(1, 40));
  const first = bits.unsigned() === 0;
  return { first, type: bits.unsigned(9) % 5, ppsId: bits.unsigned(255) };
}

/** Whether a supplemental message says that decoding can begin with its picture, although it is no IDR picture
 *  (D.2.8): exact from the picture itself on. */
export function isRecoveryPoint(unit: Buffer): boolean {
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

interface Bits {
  fixed(count: number): number;
  /** Exp-Golomb, unsigned. */
  unsigned(most?: number): number;
  signed(): number;
}

/** Reads bits of a NAL unit, over its emulation prevention bytes. @throws Failure `corrupt` at its end */
function createBits(payload: Buffer): Bits {
  let at = 0;
  let bit = 0;
  let zeros = 0;

  function one(): number {
    if (bit === 0 && zeros >= 2 && payload[at] === 3) {
      at++;
      zeros = 0;
    }
    const byte = payload[at];
    if (byte === undefined) throw bad('a header that is cut off');
    const value = (byte >> (7 - bit)) & 1;
    bit = (bit + 1) % 8;
    if (bit === 0) {
      zeros = byte === 0 ? zeros + 1 : 0;
      at++;
    }
    return value;
  }

  function fixed(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--) value = value * 2 + one();
    return value;
  }

  function unsigned(most = 0xffff_ffff): number {
    let leading = 0;
    while (one() === 0) if (++leading > 32) throw bad('a number that is too long');
    const value = 2 ** leading - 1 + fixed(leading);
    if (value > most) throw bad(`the number ${value} where ${most} is the most`);
    return value;
  }

  return {
    fixed,
    unsigned,
    signed: () => {
      const value = unsigned();
      return value % 2 === 0 ? -value / 2 : (value + 1) / 2;
    },
  };
}
