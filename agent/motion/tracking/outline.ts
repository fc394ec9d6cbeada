import type { Background } from '../scene/background.ts';
import type { FrameSize } from '../frame-size.ts';
import type { Patch } from './regions.ts';

/** Places to both sides of an edge, pixels: an edge of a decoded picture is this soft. */
const SPAN = 2;
/** A step of brightness that neither the scene nor another light on it explains: this share of what a pixel there may
 *  differ by, grain included. Leaves make that large; a body in front of them is not fainter for it. */
const STEP_SHARE = 0.8;
const MOST_STEP = 14;

/** What takes part in a change of light gets brighter with it, or darker with it: so much of a region. */
const ONE_WAY = 0.92;
/** Least outline of a body, and of one that is so small that its cells are mostly border. */
const LEAST = 0.9;
const LEAST_OF_SMALL = 0.7;
const SMALL_CELLS = 10;

/** Light has no outline. Headlights, a cloud, the sun that comes out fade at their borders; a body ends there.
 *  The outline is counted in places where the picture has a step that the scene has not (nor has it under the
 *  region's own brightness), by the length of the region's border. */
export function createOutlineCheck({ width, height }: FrameSize, { scene, limits }: Background) {
  function outlineOf(frame: Uint8Array, { left, top, right, bottom }: Patch): number {
    const x0 = Math.max(SPAN, left - SPAN);
    const x1 = Math.min(width - SPAN, right + SPAN);
    const y0 = Math.max(SPAN, top - SPAN);
    const y1 = Math.min(height - SPAN, bottom + SPAN);
    let ofFrame = 0;
    let ofScene = 1;
    let limit = 0;
    let looked = 0;
    for (let y = y0; y < y1; y += 2)
      for (let i = y * width + x0; i < y * width + x1; i += 2) {
        ofFrame += frame[i] as number;
        ofScene += scene[i] as number;
        limit += limits[i] as number;
        looked++;
      }
    // In more light everything has larger steps, in less none is new.
    const gain = Math.max(1, ofFrame / ofScene);
    const step = gain * Math.min(MOST_STEP, (STEP_SHARE * limit) / looked);
    const down = SPAN * width;
    let steps = 0;
    for (let y = y0; y < y1; y++)
      for (let i = y * width + x0; i < y * width + x1; i++) {
        const across = Math.abs((frame[i + SPAN] as number) - (frame[i - SPAN] as number));
        const along = Math.abs((frame[i + down] as number) - (frame[i - down] as number));
        if (
          across > step + gain * Math.abs((scene[i + SPAN] as number) - (scene[i - SPAN] as number)) ||
          along > step + gain * Math.abs((scene[i + down] as number) - (scene[i - down] as number))
        )
          steps++;
      }
    // What comes in at the border of the picture has no outline there.
    const sides = (left > 0 ? 1 : 0) + (right < width ? 1 : 0);
    const ends = (top > 0 ? 1 : 0) + (bottom < height ? 1 : 0);
    return steps / Math.max(1, sides * (bottom - top) + ends * (right - left));
  }

  /** Whether a region is only another light. */
  return function isLight(frame: Uint8Array, patch: Patch): boolean {
    const { brighter, pixels, cells } = patch;
    if (brighter > (1 - ONE_WAY) * pixels && brighter < ONE_WAY * pixels) return false;
    return outlineOf(frame, patch) < (cells < SMALL_CELLS ? LEAST_OF_SMALL : LEAST);
  };
}
