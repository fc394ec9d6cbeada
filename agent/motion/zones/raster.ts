import type { PicturePoint } from '@dachawatch/contracts';

/** Rounding of coordinates may not add a row or a column. Cells. */
const HAIR = 1e-6;

/** A polygon on a grid: 1 for each cell that it touches, so that nothing drawn is too small to count, and nothing
 *  masked shows at the border.
 *  @param polygon relative coordinates */
export function rasterise(polygon: readonly PicturePoint[], width: number, height: number): Uint8Array {
  const grid = new Uint8Array(width * height);
  const points = polygon.map(([x, y]): PicturePoint => [x * width, y * height]);
  for (let y = 0; y < height; y++) {
    const row = grid.subarray(y * width, (y + 1) * width);
    for (let i = 0; i < points.length; i++)
      markSide(row, y, points[i] as PicturePoint, points[(i + 1) % points.length] as PicturePoint);
    fillInside(row, y + 0.5, points);
  }
  return grid;
}

/** Cells of row `y` that the side from `a` to `b` runs through. */
function markSide(row: Uint8Array, y: number, a: PicturePoint, b: PicturePoint): void {
  const [upper, lower] = a[1] <= b[1] ? [a, b] : [b, a];
  if (upper[1] >= y + 1 - HAIR || lower[1] <= y + HAIR) return;
  const at = (level: number) =>
    lower[1] === upper[1]
      ? upper[0]
      : upper[0] + ((level - upper[1]) / (lower[1] - upper[1])) * (lower[0] - upper[0]);
  const flat = lower[1] === upper[1];
  const one = at(Math.max(y, upper[1]));
  const other = flat ? lower[0] : at(Math.min(y + 1, lower[1]));
  const first = Math.floor(Math.min(one, other) + HAIR);
  const last = Math.ceil(Math.max(one, other) - HAIR);
  row.fill(1, Math.max(0, Math.min(first, row.length - 1)), Math.min(row.length, last));
}

/** Cells whose middle lies inside: between every first and second side that the line `level` meets. */
function fillInside(row: Uint8Array, level: number, points: readonly PicturePoint[]): void {
  const meets: number[] = [];
  for (let i = 0; i < points.length; i++) {
    const a = points[i] as PicturePoint;
    const b = points[(i + 1) % points.length] as PicturePoint;
    if (a[1] <= level === b[1] <= level) continue;
    meets.push(a[0] + ((level - a[1]) / (b[1] - a[1])) * (b[0] - a[0]));
  }
  meets.sort((a, b) => a - b);
  for (let i = 0; i + 1 < meets.length; i += 2)
    row.fill(1, Math.ceil((meets[i] as number) - 0.5), Math.ceil((meets[i + 1] as number) - 0.5));
}
