import { CELL, type Background } from './background.ts';
import type { FrameSize } from './motion.ts';

/** A connected group of cells that changed. Pixels. The objects are used again for every frame. */
export interface Patch {
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** Changed pixels in all its cells, and where their middle lies. */
  pixels: number;
  x: number;
  y: number;
  cells: number;
  /** Changed pixels that also differ from the frame before. */
  stirred: number;
}

/** More regions in one picture than this are no objects. */
const MAX_PATCHES = 64;

/** Finds connected cells, diagonals included.
 *  @param minShare least share of a cell's pixels that changed */
export function createPatchFinder({ width, height }: FrameSize, background: Background, minShare: number) {
  const { columns, rows, changed, stirred } = background;
  const least = Math.ceil(minShare * CELL * CELL);
  const label = new Uint8Array(columns * rows);
  const stack = new Uint16Array(columns * rows);
  const patches: Patch[] = Array.from({ length: MAX_PATCHES }, () => ({
    left: 0,
    top: 0,
    right: 0,
    bottom: 0,
    pixels: 0,
    x: 0,
    y: 0,
    cells: 0,
    stirred: 0,
  }));
  let count = 0;
  let active = 0;

  function grow(start: number, patch: Patch, mark: number): void {
    let depth = 0;
    let left = columns;
    let top = rows;
    let right = 0;
    let bottom = 0;
    let sumX = 0;
    let sumY = 0;
    patch.pixels = 0;
    patch.cells = 0;
    patch.stirred = 0;
    stack[depth++] = start;
    label[start] = mark;
    while (depth > 0) {
      const cell = stack[--depth] as number;
      const cx = cell % columns;
      const cy = (cell / columns) | 0;
      const pixels = changed[cell] as number;
      patch.pixels += pixels;
      patch.cells++;
      patch.stirred += stirred[cell] as number;
      sumX += pixels * (cx * CELL + CELL / 2);
      sumY += pixels * (cy * CELL + CELL / 2);
      if (cx < left) left = cx;
      if (cx > right) right = cx;
      if (cy < top) top = cy;
      if (cy > bottom) bottom = cy;
      for (let ny = Math.max(0, cy - 1); ny <= Math.min(rows - 1, cy + 1); ny++) {
        for (let nx = Math.max(0, cx - 1); nx <= Math.min(columns - 1, cx + 1); nx++) {
          const near = ny * columns + nx;
          if (label[near] !== 0 || (changed[near] as number) < least) continue;
          label[near] = mark;
          stack[depth++] = near;
        }
      }
    }
    patch.left = left * CELL;
    patch.top = top * CELL;
    patch.right = Math.min(width, (right + 1) * CELL);
    patch.bottom = Math.min(height, (bottom + 1) * CELL);
    patch.x = sumX / patch.pixels;
    patch.y = sumY / patch.pixels;
  }

  return {
    patches,
    /** Cell marks: 0 quiet, else 1 + index of the patch. */
    label,
    /** @returns how many of `patches` are filled */
    find(): number {
      label.fill(0);
      count = 0;
      active = 0;
      for (let cell = 0; cell < label.length; cell++) {
        if ((changed[cell] as number) < least) continue;
        active++;
        if (label[cell] !== 0 || count === MAX_PATCHES) continue;
        const patch = patches[count++] as Patch;
        grow(cell, patch, count);
      }
      return count;
    },
    /** Share of all cells that changed in the last frame. */
    activeShare: () => active / label.length,
  };
}
