import type { Background } from './background.ts';
import { KNOWN, LIT, NONE } from './texture.ts';

/** A place that moved in its own time is expected to move again: learnt in seconds, forgotten in a minute. */
const LEARN_MS = 7_000;
const FORGET_MS = 40_000;
/** One look teaches no more than this, however long ago the last one was. */
const MOST_OF_ONE = 0.08;
/** Changed cells that do not stir for this long show what is parked, or what something left behind. */
const STILL_MS = 3_000;
/** How fast the scene takes over what is still, or lit otherwise. Time constants, milliseconds. */
const TAKE_STILL_MS = 300;
const TAKE_LIGHT_MS = 1_500;
/** Fewer stirring pixels than this in a cell are noise. */
const STIRS = 3;

/** Places that always move, learnt by themselves: foliage, flags, water, a clock in the picture. Each cell has the
 *  share of time in which it stirred without belonging to a thing that is followed. */
export function createSwayMap(background: Background) {
  const { changed, stirred, held } = background;
  const sway = new Float32Array(changed.length);
  const stillMs = new Float32Array(changed.length);

  return {
    /** 0 never moves, 1 always. */
    sway,
    /** After the decision on a frame.
     *  @param kinds what each cell shows, `texture.ts` */
    update(frame: Uint8Array, kinds: Uint8Array, elapsedMs: number): void {
      const up = Math.min(MOST_OF_ONE, 1 - Math.exp(-elapsedMs / LEARN_MS));
      const down = 1 - Math.exp(-elapsedMs / FORGET_MS);
      const takeStill = 1 - Math.exp(-elapsedMs / TAKE_STILL_MS);
      const takeLight = 1 - Math.exp(-elapsedMs / TAKE_LIGHT_MS);
      for (let cell = 0; cell < sway.length; cell++) {
        const kind = kinds[cell] as number;
        const known = sway[cell] as number;
        const stirs = (stirred[cell] as number) >= STIRS;
        if (held[cell] === 0) {
          const moved = kind > LIT && stirs ? 1 : 0;
          if (moved > 0 || known > 0) sway[cell] = known + (moved - known) * (moved > 0 ? up : down);
        }
        if (kind === NONE || stirs) stillMs[cell] = 0;
        else stillMs[cell] = (stillMs[cell] as number) + elapsedMs;
        if (kind === KNOWN) background.absorb(frame, cell, takeStill);
        else if (kind === LIT) background.absorb(frame, cell, takeLight);
        else if (held[cell] === 0 && (stillMs[cell] as number) > STILL_MS)
          background.absorb(frame, cell, takeStill);
      }
    },
    reset(): void {
      stillMs.fill(0);
    },
  };
}
