import type { PicturePoint } from '@dachawatch/contracts';
import type { Region } from '../region-list.ts';
import { rasterise } from './raster.ts';

const COLUMNS = 160;
const ROWS = 90;
/** Share of a region that must lie in a zone in which it does not stand. */
const MOSTLY = 0.5;

export interface ZoneShape {
  /** Whether a region counts for the zone: it stands there (the middle of its lower edge), or at least half of it
   *  lies there. Zones are drawn on the ground, where a tall person's head covers what is far behind; but a body
   *  whose feet a fence hides, or that fills the picture, must count, too. */
  has(region: Region): boolean;
}

/** A polygon as a grid and its sums, made once; a question costs four look-ups. */
export function createZoneShape(polygon: readonly PicturePoint[]): ZoneShape {
  const grid = rasterise(polygon, COLUMNS, ROWS);
  const stride = COLUMNS + 1;
  const sums = new Uint16Array(stride * (ROWS + 1));
  for (let y = 0; y < ROWS; y++)
    for (let x = 0, row = 0; x < COLUMNS; x++) {
      row += grid[y * COLUMNS + x] as number;
      sums[(y + 1) * stride + x + 1] = (sums[y * stride + x + 1] as number) + row;
    }
  const sum = (x: number, y: number) => sums[y * stride + x] as number;
  const cell = (value: number, count: number) => Math.max(0, Math.min(count - 1, Math.floor(value * count)));

  return {
    has(region) {
      // Taken apart with an iterator, it would be garbage of every frame.
      const left = region[0];
      const top = region[1];
      const right = region[2];
      const bottom = region[3];
      const foot = cell(bottom - 0.5 / ROWS, ROWS) * COLUMNS + cell((left + right) / 2, COLUMNS);
      if (grid[foot] === 1) return true;
      const x0 = cell(left, COLUMNS);
      const y0 = cell(top, ROWS);
      const x1 = Math.max(x0 + 1, Math.min(COLUMNS, Math.round(right * COLUMNS)));
      const y1 = Math.max(y0 + 1, Math.min(ROWS, Math.round(bottom * ROWS)));
      const inside = sum(x1, y1) - sum(x0, y1) - sum(x1, y0) + sum(x0, y0);
      return inside >= MOSTLY * (x1 - x0) * (y1 - y0);
    },
  };
}

/** The whole picture. */
export const WHOLE_PICTURE: ZoneShape = { has: () => true };
