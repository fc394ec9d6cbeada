import type { Blindness } from '../../../../../agent/motion/sight/compare.ts';
import { createSight } from '../../../../../agent/motion/sight/sight.ts';
import { createNoise, PIXELS, SIZE } from '../scenes.ts';

export type Painting = (x: number, y: number) => number;

/** A yard: sky, a house with windows, a fence of slats, a path. */
export const yard: Painting = (x, y) => {
  if (y < 50) return 190 - y * 0.4 + 4 * Math.sin(x / 31);
  if (x > 60 && x < 190 && y < 120) {
    const window = (x - 60) % 42 > 14 && (x - 60) % 42 < 32 && (y - 50) % 34 > 8 && (y - 50) % 34 < 26;
    return window ? 60 : 150 + ((x * 7 + y * 13) % 11);
  }
  if (y < 140) return x % 9 < 5 ? 95 + (y % 3) * 4 : 135;
  return 105 + 25 * Math.sin((x + y * 3) / 11) + ((x * 5 + y * 11) % 17);
};

/** The same camera, turned to the street. */
export const street: Painting = (x, y) => {
  const kerb = y - 0.45 * x;
  if (kerb < 0) return (x + y) % 40 < 20 ? 80 : 165;
  if (kerb < 12) return 210;
  return 90 + ((x * 3 + y * 7) % 13) + 20 * Math.sin((2 * x - y) / 19);
};

export const even =
  (level: number): Painting =>
  () =>
    level;

/** Times and plus, per pixel, as a change of light does it. */
export const lit =
  (painting: Painting, gain: number, offset = 0): Painting =>
  (x, y) =>
    painting(x, y) * gain + offset;

/** What a lens out of focus makes of it: the mean of what lies within `radius`, in each direction. */
export function blurred(painting: Painting, radius: number): Painting {
  const down = meanAlong(drawn(painting), radius, SIZE.width);
  const both = meanAlong(down, radius, 1);
  return (x, y) => both[y * SIZE.width + x] as number;
}

/** @param step from one pixel to its neighbour */
function meanAlong(picture: Float32Array, radius: number, step: number): Float32Array {
  return picture.map((_, at) => {
    let [sum, count] = [0, 0];
    for (let n = -radius; n <= radius; n++) {
      const there = at + n * step;
      const sameRow = step !== 1 || Math.floor(there / SIZE.width) === Math.floor(at / SIZE.width);
      if (there < 0 || there >= picture.length || !sameRow) continue;
      sum += picture[there] as number;
      count++;
    }
    return sum / count;
  });
}

/** Infrared: plants are bright, the sky is black, the lamp of the camera lights the middle. */
export const infrared =
  (painting: Painting): Painting =>
  (x, y) => {
    const day = painting(x, y);
    const lamp = Math.max(0.25, 1.1 - Math.hypot(x - 160, (y - 110) * 1.4) / 190);
    return y < 50 ? 14 : (y >= 140 ? 255 - day : day) * 0.75 * lamp;
  };

/** Looks at one painting after the other, a picture a second. */
export function createWatcher({ noise = 5, seed = 1 } = {}) {
  const sight = createSight(SIZE);
  const random = createNoise(seed);
  const grey = new Uint8Array(PIXELS);
  let atMs = 0;
  const told: (Blindness | undefined)[] = [];

  function show(picture: Float32Array): void {
    for (let at = 0; at < PIXELS; at++)
      grey[at] = Math.max(0, Math.min(255, (picture[at] as number) + random() * noise));
    sight.look(grey, (atMs += 1000));
    if (told.at(-1) !== sight.blindness() || told.length === 0) told.push(sight.blindness());
  }

  return {
    /** Shows it for so many seconds. */
    see(painting: Painting, seconds: number): Blindness | undefined {
      const picture = drawn(painting);
      for (let second = 0; second < seconds; second++) show(picture);
      return sight.blindness();
    },
    /** From one to the other within so many seconds. */
    change(from: Painting, to: Painting, seconds: number): Blindness | undefined {
      const [one, other] = [drawn(from), drawn(to)];
      for (let second = 1; second <= seconds; second++) {
        const share = second / seconds;
        show(one.map((before, at) => before + ((other[at] as number) - before) * share));
      }
      return sight.blindness();
    },
    /** Lets time pass in which no picture comes. */
    pause(seconds: number): void {
      atMs += seconds * 1000;
    },
    /** All that was told, in its order; undefined: the scene is seen. */
    told,
  };
}

const drawn = (painting: Painting): Float32Array =>
  Float32Array.from({ length: PIXELS }, (_, at) => painting(at % SIZE.width, Math.floor(at / SIZE.width)));
