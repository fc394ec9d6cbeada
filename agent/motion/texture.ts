import { CELL, type Background } from './background.ts';
import type { FrameSize } from './motion.ts';

/** Likeness above which a patch shows the same surface in another light. */
const SAME = 0.93;
/** Least variance of the background, grey levels squared: a flat wall has no texture to recognise. */
const MIN_VARIANCE = 40;

/** Tells a change of light in one place (a cloud's edge, a shadow, a lamp) from a thing that covers the scene: light
 *  keeps the pattern of the surface and changes its brightness. Normalised cross-correlation of frame and
 *  background over the cells of one patch. */
export function createTextureCheck({ width, height }: FrameSize, background: Background, label: Uint8Array) {
  const { columns } = background;

  return function isOnlyLight(
    frame: Uint8Array,
    mark: number,
    box: { left: number; top: number; right: number; bottom: number },
  ): boolean {
    let n = 0;
    let sf = 0;
    let sb = 0;
    let sff = 0;
    let sbb = 0;
    let sfb = 0;
    for (let top = box.top; top < box.bottom; top += CELL) {
      for (let left = box.left; left < box.right; left += CELL) {
        if (label[(top / CELL) * columns + left / CELL] !== mark) continue;
        const bottom = Math.min(top + CELL, height);
        const right = Math.min(left + CELL, width);
        for (let y = top; y < bottom; y++) {
          for (let i = y * width + left; i < y * width + right; i++) {
            const f = frame[i] as number;
            const b = background.level(i);
            n++;
            sf += f;
            sb += b;
            sff += f * f;
            sbb += b * b;
            sfb += f * b;
          }
        }
      }
    }
    const varianceB = sbb / n - (sb / n) ** 2;
    const varianceF = sff / n - (sf / n) ** 2;
    if (varianceB < MIN_VARIANCE || varianceF < MIN_VARIANCE / 4) return false;
    return (sfb / n - (sf / n) * (sb / n)) / Math.sqrt(varianceB * varianceF) > SAME;
  };
}
