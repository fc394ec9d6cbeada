import { between, HEIGHT, WIDTH } from './canvas.ts';
import { breeze, type Chapter, pumping } from './chapters.ts';
import * as weather from './weather.ts';

const step =
  (at: readonly number[], a: readonly [number, number], b: readonly [number, number]) => (t: number) =>
    at.filter((moment) => t >= moment).length % 2 === 0 ? a : b;

/** Nobody comes. */
export const DISTURBANCES: Readonly<Record<string, Chapter>> = {
  grain: ['night', () => ({ noise: 11 })],
  breeze: ['yard', (draft) => ({ effects: [breeze(draft, between(draft.random, 2, 4))] })],
  'first-gust': [
    'yard',
    ({ backdrop, seed, random }) => ({
      effects: [
        weather.foliage(backdrop, seed, between(random, 4, 8), weather.gusts(between(random, 3, 9), 9)),
      ],
    }),
  ],
  storm: [
    'yard',
    (draft) => ({
      effects: [breeze(draft, between(draft.random, 6, 9)), weather.shaking(3, weather.gusts(8, 7))],
    }),
  ],
  rain: ['yard', ({ seed }) => ({ effects: [weather.rain(seed, 240)] })],
  'rain-night': ['night', ({ seed }) => ({ noise: 6, effects: [weather.rain(seed, 160)] })],
  insects: ['night', ({ seed }) => ({ noise: 5, effects: [weather.insects(seed, 4)] })],
  cobweb: [
    'night',
    ({ random }) => ({
      noise: 5,
      effects: [weather.cobweb(between(random, 80, 560), between(random, 15, 40))],
    }),
  ],
  headlights: [
    'night',
    ({ random }) => ({
      noise: 6,
      effects: [
        weather.headlights(
          [
            { fromS: 7, toS: 7 + between(random, 2, 5), y: between(random, 130, 240), leftwards: false },
            { fromS: 18, toS: 18 + between(random, 1, 3), y: between(random, 130, 240), leftwards: true },
          ],
          between(random, 0.8, 1.6),
        ),
      ],
    }),
  ],
  'slow-clouds': [
    'yard',
    ({ seed }) => ({ effects: [weather.shade(seed, 190, 0.4, (t) => [12 * t, 3 * t], weather.always)] }),
  ],
  'fast-clouds': [
    'yard',
    ({ seed }) => ({
      effects: [weather.shade(seed, 260, 0.5, (t) => [70 * t, 10 * t], weather.gusts(5, 12))],
    }),
  ],
  'tree-shadows': [
    'yard',
    ({ seed }) => ({
      effects: [
        weather.shade(seed, 28, 0.35, (t) => [9 * Math.sin(1.9 * t), 5 * Math.sin(2.7 * t)], weather.always),
      ],
    }),
  ],
  infrared: [
    'yard',
    ({ seed, random }) => ({
      noise: 4,
      effects: [
        weather.exposure(step([between(random, 7, 11), between(random, 19, 23)], [1, 0], [0.62, 22])),
        weather.rain(seed, 10),
      ],
    }),
  ],
  pumping: ['yard', () => ({ effects: [weather.exposure(pumping)] })],
  shaking: [
    'yard',
    ({ random }) => ({ effects: [weather.shaking(between(random, 4, 7), weather.gusts(4, 9))] }),
  ],
  'low-bitrate': ['yard', (draft) => ({ noise: 6, quality: 42, effects: [breeze(draft, 1.5)] })],
  snow: ['yard', ({ seed }) => ({ effects: [weather.snow(seed, 350)] })],
  flag: [
    'yard',
    ({ backdrop, random }) => {
      const [x, y] = [between(random, 100, 480), between(random, 30, 120)];
      return { effects: [weather.ripple(backdrop, [x, y, x + 70, y + 46], 5, 14)] };
    },
  ],
  water: [
    'yard',
    ({ backdrop }) => ({ effects: [weather.ripple(backdrop, [0, 270, WIDTH, HEIGHT], 2.5, 22)] }),
  ],
  lamp: [
    'room',
    ({ random }) => ({
      effects: [
        weather.exposure(
          step([between(random, 6, 10), between(random, 13, 17), between(random, 22, 25)], [1, 0], [0.4, 4]),
        ),
      ],
    }),
  ],
};
