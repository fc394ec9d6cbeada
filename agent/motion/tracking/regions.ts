import { CELL, type Background } from '../scene/background.ts';
import type { IdlePlaces } from '../scene/idle.ts';
import type { FrameSize } from '../frame-size.ts';
import { LIT, NONE, SOLID } from '../scene/texture.ts';

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
  /** Changed pixels that are brighter than the scene. */
  brighter: number;
  /** It touches the border of the picture. */
  atBorder: boolean;
  /** Cells that show something else than before, not only another brightness. */
  solid: number;
  /** Changed pixels that also differ from the recent picture. */
  stirred: number;
  /** How much its cells move anyway, 0 to 1. */
  sway: number;
  /** How often things come to nothing there, 0 to 1. */
  idle: number;
  /** The same times the size of what comes to nothing there, changed pixels. */
  idlePixels: number;
}

/** More regions in one picture than this are no objects. */
const MAX_PATCHES = 64;
/** Share of a cell's pixels that must have changed, and how much more where everything moves anyway. */
const MIN_SHARE = 0.18;
const SWAY_ASKS = 2.5;

/** Changed pixels from which on a cell counts as changed.
 *  @param sway how much the cell moves anyway, 0 to 1 */
export const changedPixelsAsked = (sway: number): number => MIN_SHARE * CELL * CELL * (1 + SWAY_ASKS * sway);

export interface PatchFinderDeps {
  readonly size: FrameSize;
  readonly background: Background;
  readonly sway: Float32Array;
  readonly places: Pick<IdlePlaces, 'idle' | 'idlePixels'>;
  /** What a changed cell shows: one of `texture.ts`. */
  readonly lookAt: (frame: Uint8Array, cell: number) => number;
}

/** Finds connected cells, diagonals included. A group needs one solid cell. */
// oxlint-disable-next-line max-lines-per-function -- most of it is one flood fill with its sums in local variables, which a call for each cell would make slower
export function createPatchFinder({
  size: { width, height },
  background,
  sway,
  places,
  lookAt,
}: PatchFinderDeps) {
  const { columns, rows, changed, brighter, changedX, changedY, stirred } = background;
  const { idle, idlePixels } = places;
  const kinds = new Uint8Array(columns * rows);
  const taken = new Uint8Array(columns * rows);
  const stack = new Uint16Array(columns * rows);
  const shares = { changed: 0, lit: 0 };
  const patches: Patch[] = Array.from({ length: MAX_PATCHES }, () => ({
    left: 0,
    top: 0,
    right: 0,
    bottom: 0,
    pixels: 0,
    x: 0,
    y: 0,
    cells: 0,
    brighter: 0,
    atBorder: false,
    solid: 0,
    stirred: 0,
    sway: 0,
    idle: 0,
    idlePixels: 0,
  }));

  function grow(start: number, patch: Patch): void {
    let depth = 0;
    let left = columns;
    let top = rows;
    let right = 0;
    let bottom = 0;
    let sumX = 0;
    let sumY = 0;
    let sumSway = 0;
    let sumIdle = 0;
    let sumIdlePixels = 0;
    patch.pixels = 0;
    patch.cells = 0;
    patch.brighter = 0;
    patch.solid = 0;
    patch.stirred = 0;
    stack[depth++] = start;
    taken[start] = 1;
    while (depth > 0) {
      const cell = stack[--depth] as number;
      const cx = cell % columns;
      const cy = (cell / columns) | 0;
      const pixels = changed[cell] as number;
      patch.pixels += pixels;
      patch.cells++;
      patch.brighter += brighter[cell] as number;
      if (kinds[cell] === SOLID) patch.solid++;
      patch.stirred += stirred[cell] as number;
      sumSway += sway[cell] as number;
      sumIdle += idle[cell] as number;
      sumIdlePixels += idlePixels[cell] as number;
      sumX += pixels * cx * CELL + (changedX[cell] as number);
      sumY += pixels * cy * CELL + (changedY[cell] as number);
      if (cx < left) left = cx;
      if (cx > right) right = cx;
      if (cy < top) top = cy;
      if (cy > bottom) bottom = cy;
      for (let ny = Math.max(0, cy - 1); ny <= Math.min(rows - 1, cy + 1); ny++) {
        for (let nx = Math.max(0, cx - 1); nx <= Math.min(columns - 1, cx + 1); nx++) {
          const near = ny * columns + nx;
          if (taken[near] !== 0 || (kinds[near] as number) <= LIT) continue;
          taken[near] = 1;
          stack[depth++] = near;
        }
      }
    }
    patch.atBorder = left === 0 || top === 0 || right === columns - 1 || bottom === rows - 1;
    patch.left = left * CELL;
    patch.top = top * CELL;
    patch.right = Math.min(width, (right + 1) * CELL);
    patch.bottom = Math.min(height, (bottom + 1) * CELL);
    patch.x = sumX / patch.pixels + 0.5;
    patch.y = sumY / patch.pixels + 0.5;
    patch.sway = sumSway / patch.cells;
    patch.idle = sumIdle / patch.cells;
    patch.idlePixels = sumIdlePixels / patch.cells;
  }

  return {
    patches,
    kinds,
    /** Says of each cell what it shows.
     *  @returns share of the cells that changed, and of those that are only lit otherwise */
    classify(frame: Uint8Array): { changed: number; lit: number } {
      shares.changed = 0;
      shares.lit = 0;
      for (let cell = 0; cell < kinds.length; cell++) {
        const asked = changedPixelsAsked(sway[cell] as number);
        const kind = (changed[cell] as number) < asked ? NONE : lookAt(frame, cell);
        kinds[cell] = kind;
        if (kind !== NONE) shares.changed += 1 / kinds.length;
        if (kind === LIT) shares.lit += 1 / kinds.length;
      }
      return shares;
    },
    /** @returns how many of `patches` are filled, largest first */
    find(): number {
      taken.fill(0);
      let count = 0;
      for (let cell = 0; cell < kinds.length && count < MAX_PATCHES; cell++) {
        if (kinds[cell] !== SOLID || taken[cell] !== 0) continue;
        const patch = patches[count] as Patch;
        grow(cell, patch);
        let at = count++;
        for (; at > 0 && (patches[at - 1] as Patch).pixels < patch.pixels; at--)
          patches[at] = patches[at - 1] as Patch;
        patches[at] = patch;
      }
      return count;
    },
  };
}
