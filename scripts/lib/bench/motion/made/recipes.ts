import { createBackdrop } from './backdrops.ts';
import { createRandom } from './canvas.ts';
import type { Recipe } from './chapters.ts';
import { DISTURBANCES } from './disturbances.ts';
import { VISITS } from './visits.ts';

const SECONDS = 30;

/** Which half a clip belongs to: one to look at while tuning, one only for the figures. */
export const HALVES = { look: 100, final: 9_000 } as const;
export type Half = keyof typeof HALVES;

/** The recipes of a half: the same chapters, other places, sizes, ways and numbers. */
export function recipes(half: Half): (() => Recipe)[] {
  return Object.entries({ ...DISTURBANCES, ...VISITS }).map(([name, [kind, make]], index) => () => {
    const seed = HALVES[half] + 17 * index;
    const random = createRandom(seed);
    const backdrop = createBackdrop(kind, seed + 1);
    return {
      name,
      seconds: SECONDS,
      backdrop,
      effects: [],
      actors: [],
      noise: 2.5,
      quality: 31,
      ...make({ backdrop, random, seed: seed + 2 }),
    };
  });
}
