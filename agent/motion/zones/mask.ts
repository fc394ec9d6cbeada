import type { Mask } from '@dachawatch/contracts';
import type { FrameSize } from '../frame-size.ts';
import { rasterise } from './raster.ts';

/** Black, which the model does not take for a measure of light. */
const MASKED_LEVEL = 0;

export interface MaskedFrames {
  /** 1 for each pixel that is analysed, 0 for each that never is. */
  readonly analysed: Uint8Array;
  /** A copy of the frame in which masked pixels have one level for ever. The same buffer at every call. */
  apply(frame: Uint8Array): Uint8Array;
}

/** @returns undefined without masks: frames go on as they are */
export function createMaskedFrames(
  masks: readonly Mask[],
  { width, height }: FrameSize,
): MaskedFrames | undefined {
  if (masks.length === 0) return undefined;
  const analysed = new Uint8Array(width * height).fill(1);
  for (const { polygon } of masks) {
    const grid = rasterise(polygon, width, height);
    for (let i = 0; i < grid.length; i++) if (grid[i] === 1) analysed[i] = 0;
  }
  const runs = runsOf(analysed, 0);
  const copy = new Uint8Array(width * height);
  return {
    analysed,
    apply(frame) {
      copy.set(frame);
      for (let i = 0; i < runs.length; i += 2) copy.fill(MASKED_LEVEL, runs[i], runs[i + 1]);
      return copy;
    },
  };
}

/** Begin and end of each stretch of pixels with this value, one after the other. */
export function runsOf(pixels: Uint8Array, value: number): Uint32Array {
  const runs: number[] = [];
  for (let i = 0; i <= pixels.length; i++)
    if ((pixels[i] === value) !== (i > 0 && pixels[i - 1] === value)) runs.push(i);
  return Uint32Array.from(runs);
}
