import { CELL, type Background } from './background.ts';
import type { FrameSize } from '../frame-size.ts';

/** Likeness above which a cell shows the same surface in another light. */
const SAME = 0.86;
/** Least variance, grey levels squared: below it there is nothing to recognise a surface by. */
const FLAT = 30;
/** A cell is too small to judge; it is looked at with a margin, pixels. */
const MARGIN = 2;

/** What a changed cell shows. */
export const NONE = 0;
/** What was there before something stood in front of it. */
export const KNOWN = 1;
/** The same surface in another light: a cloud's edge, a shadow, a lamp, a patch of sun. */
export const LIT = 2;
/** No texture before, none now: joins a thing, but is none by itself. */
export const PLAIN = 3;
/** Something else than before. */
export const SOLID = 4;

/** Local light: it keeps the pattern of a surface and changes its brightness. Normalised cross-correlation of frame
 *  and scene around one cell. (Shadows by NCC: Jacques, Jung, Musse 2005, "Background subtraction and shadow detection
 *  in grayscale video sequences".) */
export function createTextureCheck({ width, height }: FrameSize, background: Background) {
  const { columns, scene } = background;

  return function lookAt(frame: Uint8Array, cell: number): number {
    const x = (cell % columns) * CELL;
    const y = Math.floor(cell / columns) * CELL;
    const left = Math.max(0, x - MARGIN);
    const right = Math.min(width, x + CELL + MARGIN);
    const bottom = Math.min(height, y + CELL + MARGIN);
    let n = 0;
    let sf = 0;
    let sb = 0;
    let sff = 0;
    let sbb = 0;
    let sfb = 0;
    for (let row = Math.max(0, y - MARGIN); row < bottom; row++) {
      for (let i = row * width + left; i < row * width + right; i++) {
        const f = frame[i] as number;
        const b = scene[i] as number;
        n++;
        sf += f;
        sb += b;
        sff += f * f;
        sbb += b * b;
        sfb += f * b;
      }
    }
    const ofFrame = sff / n - (sf / n) ** 2;
    const ofScene = sbb / n - (sb / n) ** 2;
    if (ofFrame < FLAT && ofScene < FLAT) return PLAIN;
    if (ofScene < FLAT || ofFrame < 1) return SOLID;
    const together = sfb / n - (sf / n) * (sb / n);
    if (together > SAME * Math.sqrt(ofFrame * ofScene)) return LIT;
    // What light does not explain, as a variance: less is grain.
    const unexplained = Math.max(ofFrame, ofScene) * (1 - (together * together) / (ofFrame * ofScene));
    return unexplained < FLAT ? PLAIN : SOLID;
  };
}
