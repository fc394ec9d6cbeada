import type { PicturePoint } from '@dachawatch/contracts';
import type { ZoneSettings } from '../../../agent/motion/zones/judge.ts';
import type { Canvas, Colour } from './canvas.ts';
import { LINE, ZONE } from './colours.ts';

/** Where a picture lies on the canvas, in pixels of the canvas. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Length of the mark at a line's middle that points to the side to which a crossing counts. */
const TICK = 10;

/** Zones and lines with their names. Masks need no mark: their pixels are black. */
export function drawMarks(canvas: Canvas, frame: Frame, { zones = [], lines = [] }: ZoneSettings): void {
  const at = ([x, y]: PicturePoint) =>
    [frame.left + x * (frame.width - 2), frame.top + y * (frame.height - 2)] as const;

  function side(from: PicturePoint, to: PicturePoint, colour: Colour): void {
    canvas.line(...at(from), ...at(to), colour);
  }
  function name(words: string, point: PicturePoint, colour: Colour): void {
    const [x, y] = at(point);
    const top = Math.max(frame.top, Math.min(y + 4, frame.top + frame.height - 10));
    canvas.text(words, Math.max(frame.left, Math.min(x + 4, frame.left + frame.width - 20)), top, colour, 1);
  }

  for (const { id, polygon } of zones) {
    polygon.forEach((point, i) => side(point, polygon[(i + 1) % polygon.length] as PicturePoint, ZONE));
    name(id, polygon[0] as PicturePoint, ZONE);
  }
  for (const { id, from, to, direction } of lines) {
    side(from, to, LINE);
    name(id, to, LINE);
    const [fromX, fromY] = at(from);
    const [toX, toY] = at(to);
    const length = Math.max(1, Math.hypot(toX - fromX, toY - fromY));
    // The right hand of somebody who walks from `from` to `to`, where y goes down.
    const [x, y] = [(-(toY - fromY) / length) * TICK, ((toX - fromX) / length) * TICK];
    const [midX, midY] = [(fromX + toX) / 2, (fromY + toY) / 2];
    if (direction !== 'right-to-left') canvas.line(midX, midY, midX + x, midY + y, LINE);
    if (direction !== 'left-to-right') canvas.line(midX, midY, midX - x, midY - y, LINE);
  }
}
