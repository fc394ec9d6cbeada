import type { Line } from '@dachawatch/contracts';
import { segmentsTouch } from '@dachawatch/contracts/polygon';

export type Crossing = 'left-to-right' | 'right-to-left';

/** A object is on a side only beyond this distance from the line; in between it stays where it was. Widths of the
 *  picture. */
const HYSTERESIS = 0.015;

/** Where one object is, seen from one line. */
export interface LineSide {
  /** -1 left, 1 right as seen walking along the line; 0 not known yet. */
  side: -1 | 0 | 1;
  /** Where it was when it last was surely on that side. */
  x: number;
  y: number;
}

export const unknownSide = (): LineSide => ({ side: 0, x: 0, y: 0 });

/** Tells when a path of centres crosses a line: from surely on one side to surely on the other, between the ends of
 *  the line. Trembling on the line is no crossing, and there and back are two.
 *  @param aspect height of the picture by its width: distances are the same in both directions then */
export function createLineWatch(
  { from, to, direction }: Pick<Line, 'from' | 'to' | 'direction'>,
  aspect: number,
) {
  const [fx, fy] = [from[0], from[1] * aspect];
  const [dx, dy] = [to[0] - fx, to[1] * aspect - fy];
  const length = Math.hypot(dx, dy);

  /** The object's centre has moved to x, y (relative to the picture).
   *  @returns the crossing if there was one that counts */
  return function step(
    at: LineSide,
    centre: { readonly x: number; readonly y: number },
  ): Crossing | undefined {
    const { x, y } = centre;
    const distance = (dx * (y * aspect - fy) - dy * (x - fx)) / length;
    if (Math.abs(distance) < HYSTERESIS) return undefined;
    const side = distance < 0 ? -1 : 1;
    const crossed = at.side === -side && segmentsTouch(from, to, [at.x, at.y], [x, y]);
    at.side = side;
    at.x = x;
    at.y = y;
    if (!crossed) return undefined;
    const crossing = side === 1 ? 'left-to-right' : 'right-to-left';
    return direction === 'both' || direction === crossing ? crossing : undefined;
  };
}
