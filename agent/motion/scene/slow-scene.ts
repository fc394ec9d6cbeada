import { type Background, CELL } from './background.ts';
import type { FrameSize } from '../frame-size.ts';
import { NONE } from './texture.ts';

/** A cell that has been quiet for this long is what the scene really looks like there. */
const QUIET_MS = 60_000;
/** Share of the changed pixels that must look as they did. */
const SAME_SHARE = 0.8;

/** The slow memory beside the fast one: the scene as it was before anybody came and stayed. When what was taken into the
 *  scene leaves again, the place behind it is known, and nobody stands there.
 *  Invariant: a cell is remembered anew only after it was quiet for a minute, or when the whole scene is learnt. */
export function createSlowScene(
  { width, height }: FrameSize,
  { columns, scene }: Background,
  leastContrast: number,
) {
  let minContrast = leastContrast;
  const picture = new Uint8Array(width * height);
  const quietMs = new Float32Array(columns * Math.ceil(height / CELL));
  const map = new Uint8Array(256);

  function remember(cell: number): void {
    const left = (cell % columns) * CELL;
    const top = Math.floor(cell / columns) * CELL;
    const right = Math.min(width, left + CELL);
    for (let y = top; y < Math.min(height, top + CELL); y++)
      for (let i = y * width + left; i < y * width + right; i++) picture[i] = scene[i] as number;
  }

  return {
    reset(): void {
      picture.set(scene);
      quietMs.fill(0);
    },
    retune(contrast: number): void {
      minContrast = contrast;
    },
    relight(gain: number, offset: number): void {
      for (let level = 0; level < 256; level++)
        map[level] = Math.max(0, Math.min(255, Math.round(gain * level + offset)));
      for (let i = 0; i < picture.length; i++) picture[i] = map[picture[i] as number] as number;
    },
    /** Whether what changed in a cell is only that it looks as it did. */
    knows(frame: Uint8Array, cell: number): boolean {
      const left = (cell % columns) * CELL;
      const top = Math.floor(cell / columns) * CELL;
      const right = Math.min(width, left + CELL);
      let changed = 0;
      let same = 0;
      for (let y = top; y < Math.min(height, top + CELL); y++)
        for (let i = y * width + left; i < y * width + right; i++) {
          const f = frame[i] as number;
          const fromScene = f - (scene[i] as number);
          if (fromScene <= minContrast && fromScene >= -minContrast) continue;
          changed++;
          const fromSlow = f - (picture[i] as number);
          if (fromSlow <= minContrast && fromSlow >= -minContrast) same++;
        }
      return same > 0 && same >= SAME_SHARE * changed;
    },
    update(kinds: Uint8Array, elapsedMs: number): void {
      for (let cell = 0; cell < kinds.length; cell++) {
        if (kinds[cell] !== NONE) quietMs[cell] = 0;
        else if ((quietMs[cell] = (quietMs[cell] as number) + elapsedMs) >= QUIET_MS) {
          quietMs[cell] = 0;
          remember(cell);
        }
      }
    },
  };
}
