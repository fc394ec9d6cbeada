/** Maps media time of the watched stream to monotonic moments. */
export interface PictureMoments {
  /** @returns when the picture came, or would have come on a network that delays nothing: monotonic milliseconds, later
   *  than that of the picture before it, unless it is a B picture */
  of(picture: { readonly mediaMs: number; readonly arrivedMs: number; readonly reordered: boolean }): number;
}

/** Packets are fetched a few times a second: of so many pictures some came right when they were fetched. */
const WINDOW = 30;

export function createPictureMoments(): PictureMoments {
  /** Arrival minus media time. */
  const delays = new Float64Array(WINDOW).fill(Number.POSITIVE_INFINITY);
  let next = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    of: ({ mediaMs, arrivedMs, reordered }) => {
      delays[next++ % WINDOW] = arrivedMs - mediaMs;
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < WINDOW; i++) least = Math.min(least, delays[i] as number);
      const atMs = mediaMs + least;
      if (reordered) return atMs;
      lastMs = Math.max(atMs, lastMs + 1);
      return lastMs;
    },
  };
}
