import { type Background, CELL } from './background.ts';
import type { FrameSize } from '../frame-size.ts';
import type { Light } from './lighting.ts';
import { changedPixelsAsked } from '../tracking/regions.ts';
import { SOLID } from './texture.ts';

/** A region that will count may still be this much smaller when it is first seen. */
const GROWING = 0.5;

/** Whether a picture shows anything that could become motion, without learning from it: one look at a picture that
 *  comes alone decides whether those before it are looked at, too. It errs towards yes. What is only lit otherwise,
 *  or was there before, is no reason, as it is none for a region. */
export function createSuspicion(deps: {
  readonly size: FrameSize;
  readonly background: Background;
  readonly sway: Float32Array;
  /** What a changed cell shows: one of `texture.ts`. */
  readonly lookAt: (frame: Uint8Array, cell: number) => number;
}) {
  const { width, height } = deps.size;
  const { background, sway, lookAt } = deps;
  const { columns, rows, scene, limits } = background;
  const lit = new Uint8Array(256);
  const changed = new Uint16Array(columns * rows);

  function compare(frame: Uint8Array, { gain, offset }: Pick<Light, 'gain' | 'offset'>): void {
    for (let level = 0; level < 256; level++)
      lit[level] = Math.max(0, Math.min(255, Math.round(gain * level + offset)));
    changed.fill(0);
    for (let y = 0; y < height; y++) {
      const row = (y >> 3) * columns;
      for (let x = 0, i = y * width; x < width; x++, i++) {
        const away = (frame[i] as number) - (lit[scene[i] as number] as number);
        const limit = limits[i] as number;
        if (away <= limit && away >= -limit) continue;
        const cell = row + (x >> 3);
        changed[cell] = (changed[cell] as number) + 1;
      }
    }
  }

  /** Changed pixels of a cell and its eight neighbours. */
  function around(cell: number): number {
    const cx = cell % columns;
    const cy = (cell / columns) | 0;
    let sum = 0;
    for (let y = Math.max(0, cy - 1); y <= Math.min(rows - 1, cy + 1); y++)
      for (let x = Math.max(0, cx - 1); x <= Math.min(columns - 1, cx + 1); x++)
        sum += changed[y * columns + x] as number;
    return sum;
  }

  /** @param light how the whole scene changed; undefined: it does not follow one light
   *  @param minPixels of the smallest region that counts */
  return function suspects(frame: Uint8Array, light: Light | undefined, minPixels: number): boolean {
    compare(frame, light ?? { gain: 1, offset: 0 });
    const least = Math.min(GROWING * minPixels, CELL * CELL);
    for (let cell = 0; cell < changed.length; cell++)
      if (
        (changed[cell] as number) >= changedPixelsAsked(sway[cell] as number) &&
        around(cell) >= least &&
        lookAt(frame, cell) === SOLID
      )
        return true;
    return false;
  };
}
