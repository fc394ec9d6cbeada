import type { MotionDecision } from '../../../../agent/motion/motion.ts';
import { createMotionDetector } from '../../../../agent/motion/motion.ts';

/** Made scenes of 320 x 180 grey pixels: a textured wall, and what a test puts in front of it. */
export const SIZE = { width: 320, height: 180 } as const;
export const PIXELS = SIZE.width * SIZE.height;
export const FPS = 5;

/** Repeatable noise: a linear congruential generator, 0 to 1. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Fast repeatable noise, -1 to 1. */
export function createNoise(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}

export interface Scene {
  /** Grey level at a place in frame `n`, before noise. */
  readonly at: (x: number, y: number, n: number) => number;
  /** Greatest noise, grey levels. */
  readonly noise?: number;
}

const WALL = Float64Array.from({ length: PIXELS }, (_, i) => {
  const x = i % SIZE.width;
  const y = Math.floor(i / SIZE.width);
  return 110 + 30 * Math.sin(x / 13) * Math.cos(y / 17) + 12 * Math.sin((x * y) / 97);
});

/** The wall, which goes on for ever. */
export const wall = (x: number, y: number) =>
  WALL[(y % SIZE.height) * SIZE.width + (x % SIZE.width)] as number;

/** A box of the given level that is at `x(n)`, `y` in frame n. */
export const withBox =
  (x: (n: number) => number, { y = 80, width = 12, height = 30, level = 220 } = {}) =>
  (px: number, py: number, n: number): number => {
    if (py < y || py >= y + height) return wall(px, py);
    const left = x(n);
    return px >= left && px < left + width ? level : wall(px, py);
  };

/** Draws one frame after the other; the buffer is the same each time. */
export function createPainter({ at, noise = 6 }: Scene): (n: number) => Uint8Array {
  const random = createRandom(11);
  const frame = new Uint8Array(PIXELS);
  return (n) => {
    for (let y = 0, i = 0; y < SIZE.height; y++)
      for (let x = 0; x < SIZE.width; x++, i++)
        frame[i] = Math.max(0, Math.min(255, at(x, y, n) + (random() - 0.5) * noise));
    return frame;
  };
}

export function watch(scene: Scene, frames: number, sensitivity = 5): MotionDecision[] {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity });
  const paint = createPainter(scene);
  const decisions: MotionDecision[] = [];
  for (let n = 0; n < frames; n++)
    decisions.push(structuredClone(detector.analyse(paint(n), n * (1000 / FPS))));
  return decisions;
}

export const firstMotion = (decisions: readonly MotionDecision[]): number =>
  decisions.findIndex(({ kind }) => kind === 'motion');

export function reasons(decisions: readonly MotionDecision[]): string[] {
  const found = decisions.map((decision) =>
    decision.kind === 'suppressed' ? decision.reason : decision.kind,
  );
  return [...new Set(found)].toSorted();
}
