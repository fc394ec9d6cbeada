import type { Fragment } from '../mp4/fragment.ts';

export interface MediaClock {
  /** Learns from a fragment that just came. */
  observe(fragment: Pick<Fragment, 'arrivedMs' | 'endMs' | 'lastSampleMs'>): void;
  /** Media time shown by the camera at a monotonic moment; undefined before the first fragment. */
  mediaAt(monotonicMs: number): number | undefined;
}

/** Maps moments (monotonic milliseconds) to media time.
 *
 *  A grey frame and a fragment of the same moment come by two connections. Both arrive a network delay after the
 *  camera saw them; the fragment besides waits until it is full, and the muxer hands it on only when the frame after
 *  the next one is there, so its last byte comes one frame behind its end. Hence
 *  `offset = arrival - end - last frame`, of which the smallest of the newest fragments is used: delays only ever
 *  make it larger. What is left is the difference in delay of the two streams, at most about one frame of the
 *  slower one on a quiet network. */
export function createMediaClock(window = 10): MediaClock {
  const offsets: number[] = [];
  return {
    observe: ({ arrivedMs, endMs, lastSampleMs }) => {
      offsets.push(arrivedMs - endMs - lastSampleMs);
      if (offsets.length > window) offsets.shift();
    },
    mediaAt: (monotonicMs) => (offsets.length === 0 ? undefined : monotonicMs - Math.min(...offsets)),
  };
}
