import type { Slice } from './coding.ts';

/** Tells pictures that are shown before one that was sent earlier.
 *  @returns whether the picture of this slice is one, given all slices before it */
export function createShownOrder(): (slice: Slice) => boolean {
  /** Of the picture that is shown last of those since the key frame. */
  let highest = 0;
  return ({ order, access }) => {
    if (order.kind === 'said') return order.reordered;
    const range = 2 ** order.bits;
    // Only the lowest bits are told: pictures lie less than half of what these count apart.
    const ahead = (order.count - highest + range) % range;
    if (access === undefined && ahead >= range / 2) return true;
    highest = order.count;
    return false;
  };
}
