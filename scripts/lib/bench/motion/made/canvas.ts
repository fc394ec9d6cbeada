/** The picture that is drawn on: 640 x 360 grey levels, as a camera's second stream has them. */
export const WIDTH = 640;
export const HEIGHT = 360;
export const PIXELS = WIDTH * HEIGHT;
export const FPS = 10;

export type Random = () => number;

/** Repeatable, 0 to 1 (mulberry32's recurrence is public domain folklore; any generator would do). */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const between = (random: Random, from: number, to: number): number => from + (to - from) * random();

/** Numbers with a mean of 0 and a deviation of 1, close to a bell curve. */
export function createGrain(random: Random): Float32Array {
  const grain = new Float32Array(1 << 18);
  for (let i = 0; i < grain.length; i++)
    grain[i] = (random() + random() + random() + random() - 2) * Math.sqrt(3);
  return grain;
}

/** Smooth hills and valleys, -1 to 1, with features of about `size` pixels. It goes on for ever. */
export interface Field {
  at(x: number, y: number): number;
}

const LATTICE = 64;

export function createField(random: Random, size: number): Field {
  const heights = Float32Array.from({ length: LATTICE * LATTICE }, () => 2 * random() - 1);
  const ease = (t: number) => t * t * (3 - 2 * t);
  const height = (cx: number, cy: number) =>
    heights[
      (((cy % LATTICE) + LATTICE) % LATTICE) * LATTICE + (((cx % LATTICE) + LATTICE) % LATTICE)
    ] as number;
  return {
    at(x, y) {
      const [gx, gy] = [x / size, y / size];
      const [cx, cy] = [Math.floor(gx), Math.floor(gy)];
      const [tx, ty] = [ease(gx - cx), ease(gy - cy)];
      const above = height(cx, cy) + (height(cx + 1, cy) - height(cx, cy)) * tx;
      const below = height(cx, cy + 1) + (height(cx + 1, cy + 1) - height(cx, cy + 1)) * tx;
      return above + (below - above) * ty;
    },
  };
}

/** A field as a picture of a quarter of the size: enough for what is smooth, and cheap to draw every time. */
export function createSlide(field: Field, width: number, height: number): Float32Array {
  return Float32Array.from({ length: width * height }, (_, i) =>
    field.at((i % width) * 4, Math.floor(i / width) * 4),
  );
}

/** Levels from 0 to 255; colours do not matter to a detector that sees grey. */
export type Canvas = Float32Array;

/** Calls back for every pixel of a rectangle that lies in the picture. */
export function eachPixel(
  [left, top, right, bottom]: readonly [number, number, number, number],
  draw: (x: number, y: number, i: number) => void,
): void {
  const x0 = Math.max(0, Math.floor(left));
  const x1 = Math.min(WIDTH, Math.ceil(right));
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(HEIGHT, Math.ceil(bottom)); y++)
    for (let x = x0; x < x1; x++) draw(x, y, y * WIDTH + x);
}
