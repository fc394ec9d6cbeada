/** Old enough to show that something small has moved, young enough to be forgotten soon after it stopped. */
const AGE_MS = 700;
const SPACING_MS = 350;
const KEPT = 3;

/** The picture of about a second ago: a few copies, written in turn. With pictures rarer than that, the one before. */
export function createRecentPictures(pixels: number) {
  const pictures = Array.from({ length: KEPT }, () => new Uint8Array(pixels));
  const times = new Float64Array(KEPT);
  let newest = 0;

  return {
    /** Only this picture is known from now on. */
    restart(frame: Uint8Array, atMs: number): void {
      for (const picture of pictures) picture.set(frame);
      times.fill(atMs);
    },
    push(frame: Uint8Array, atMs: number): void {
      if (atMs - (times[newest] as number) < SPACING_MS) return;
      newest = (newest + 1) % KEPT;
      pictures[newest]?.set(frame);
      times[newest] = atMs;
    },
    /** The youngest that is old enough, else the oldest. */
    reference(atMs: number): Uint8Array {
      for (let back = 0; back < KEPT - 1; back++) {
        const slot = (newest - back + KEPT) % KEPT;
        if (atMs - (times[slot] as number) >= AGE_MS) return pictures[slot] as Uint8Array;
      }
      return pictures[(newest + 1) % KEPT] as Uint8Array;
    },
  };
}
