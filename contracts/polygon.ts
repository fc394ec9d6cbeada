/** A place in the picture, relative: 0, 0 is its upper left corner, 1, 1 its lower right one. */
export type PicturePoint = readonly [x: number, y: number];

/** Twice the signed area of the triangle: its sign tells on which side of the way `a` to `b` the point `c` lies.
 *  Negative: to the left as seen in the picture, where y grows downwards. */
export function turn(a: PicturePoint, b: PicturePoint, c: PicturePoint): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** Whether two segments have a point in common, their ends included. */
export function segmentsTouch(a: PicturePoint, b: PicturePoint, c: PicturePoint, d: PicturePoint): boolean {
  const c1 = Math.sign(turn(a, b, c));
  const d1 = Math.sign(turn(a, b, d));
  const a1 = Math.sign(turn(c, d, a));
  const b1 = Math.sign(turn(c, d, b));
  if (c1 !== d1 && a1 !== b1) return true;
  return (
    (c1 === 0 && within(a, b, c)) ||
    (d1 === 0 && within(a, b, d)) ||
    (a1 === 0 && within(c, d, a)) ||
    (b1 === 0 && within(c, d, b))
  );
}

const within = (a: PicturePoint, b: PicturePoint, c: PicturePoint) =>
  Math.min(a[0], b[0]) <= c[0] &&
  c[0] <= Math.max(a[0], b[0]) &&
  Math.min(a[1], b[1]) <= c[1] &&
  c[1] <= Math.max(a[1], b[1]);

/** Whether the sides of a polygon meet only where one ends and the next begins, and enclose something. */
export function isSimplePolygon(points: readonly PicturePoint[]): boolean {
  const n = points.length;
  const corner = (i: number) => points[i % n] as PicturePoint;
  let area = 0;
  for (let i = 0; i < n; i++) {
    const [a, b, c] = [corner(i), corner(i + 1), corner(i + 2)];
    area += a[0] * b[1] - b[0] * a[1];
    // The next side folds back onto this one, or has no length.
    const back = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
    if ((a[0] === b[0] && a[1] === b[1]) || (turn(a, b, c) === 0 && back < 0)) return false;
    for (let j = i + 2; j < n; j++) {
      if (j + 1 === i + n) continue;
      if (segmentsTouch(a, b, corner(j), corner(j + 1))) return false;
    }
  }
  return Math.abs(area) > 1e-9;
}
