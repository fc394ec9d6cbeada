import { Failure } from '../../kernel/failure.ts';

export interface Bits {
  fixed(count: number): number;
  /** Exp-Golomb, unsigned. */
  unsigned(most?: number): number;
  signed(): number;
}

/** Reads bits of a NAL unit, over its emulation prevention bytes. @throws Failure `corrupt` at its end */
export function createBits(payload: Buffer): Bits {
  let at = 0;
  let bit = 0;
  let zeros = 0;

  function one(): number {
    if (bit === 0 && zeros >= 2 && payload[at] === 3) {
      at++;
      zeros = 0;
    }
    const byte = payload[at];
    if (byte === undefined) throw unreadable('a header that is cut off');
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
    while (one() === 0) if (++leading > 32) throw unreadable('a number that is too long');
    const value = 2 ** leading - 1 + fixed(leading);
    if (value > most) throw unreadable(`the number ${value} where ${most} is the most`);
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

/** What a camera sends cannot be read. */
export const unreadable = (what: string) =>
  new Failure('corrupt', 'capture.units', `The camera sends pictures with ${what}`);
