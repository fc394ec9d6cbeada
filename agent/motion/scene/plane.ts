/** One byte for each pixel, and the same bytes four at a time. */
export interface Plane {
  readonly bytes: Uint8Array;
  /** The last one may hold pixels that are none. */
  readonly words: Int32Array;
}

/** @param pixels how many */
export function createPlane(pixels: number): Plane {
  const words = new Int32Array((pixels + 3) >> 2);
  return { words, bytes: new Uint8Array(words.buffer, 0, pixels) };
}

/** Even and odd bytes of a word get a lane of 16 bits each, so that nothing is carried from one pixel to the next;
 *  which end of a word comes first does not matter. */
const LANES = 0x00ff_00ff;
/** 512 in each lane outweighs every difference: the bit stays set as long as a limit is not less than what is taken
 *  away from it. */
const GUARD = 0x0200_0200;

/** The next word in which a pixel of the frame differs from the scene by more than its limit. Hardly any does, so most
 *  of a picture is only looked at here.
 *  @returns `end` when there is none before it */
export function nextChanged(
  frame: Int32Array,
  scene: Int32Array,
  limits: Int32Array,
  from: number,
  end: number,
): number {
  for (let word = from; word < end; word++) {
    const f = frame[word] as number;
    const s = scene[word] as number;
    const limit = limits[word] as number;
    const even = (f & LANES) - (s & LANES);
    const odd = ((f >>> 8) & LANES) - ((s >>> 8) & LANES);
    const ofEven = (limit & LANES) + GUARD;
    const ofOdd = ((limit >>> 8) & LANES) + GUARD;
    if (((ofEven + even) & (ofEven - even) & (ofOdd + odd) & (ofOdd - odd) & GUARD) !== GUARD) return word;
  }
  return end;
}
