import { type Actor, approach, arrive, walk, walkAndStand } from './actors.ts';
import { between, HEIGHT, type Random, WIDTH } from './canvas.ts';
import { breeze, type Chapter, type Draft, pumping } from './chapters.ts';
import * as weather from './weather.ts';

const DARK = [45, 60, 35] as const;
const MIXED = [150, 190, 50] as const;
const BRIGHT = [205, 225, 110] as const;
const CLOTHES = [DARK, MIXED, BRIGHT] as const;

const clothes = (random: Random) => CLOTHES[Math.floor(random() * CLOTHES.length)] as Actor['levels'];
const ground = ({ backdrop, random }: Draft, from = 0.25, to = 0.85) =>
  backdrop.horizon + (HEIGHT - backdrop.horizon) * between(random, from, to);

/** Somebody who crosses. @param share of the picture's height @param pace body heights a second */
function crossing(
  draft: Draft,
  share: readonly [number, number],
  pace: readonly [number, number],
  over: Partial<Actor> = {},
): Actor {
  const { random, seed } = draft;
  const height = HEIGHT * between(random, ...share);
  const y = Math.min(HEIGHT - 8, ground(draft));
  const leftwards = random() < 0.5;
  const [from, to] = leftwards ? [WIDTH + height, -height] : [-height, WIDTH + height];
  const speed = height * between(random, ...pace);
  return {
    kind: 'person',
    height,
    levels: clothes(random),
    shadow: true,
    seed,
    at: walk([from, y], [to, y + between(random, -25, 25)], between(random, 6, 9), speed),
    ...over,
  };
}

/** Somebody comes, in all sorts of weather. */
export const VISITS: Readonly<Record<string, Chapter>> = {
  walker: ['yard', (draft) => ({ actors: [crossing(draft, [0.11, 0.15], [0.7, 1])] })],
  'far-walker': ['yard', (draft) => ({ actors: [crossing(draft, [0.075, 0.1], [0.6, 0.9])] })],
  runner: ['yard', (draft) => ({ actors: [crossing(draft, [0.1, 0.16], [2, 3])] })],
  'dim-at-night': [
    'night',
    (draft) => ({
      noise: 5,
      actors: [crossing(draft, [0.12, 0.16], [0.6, 0.9], { levels: [84, 78, 72], shadow: false })],
    }),
  ],
  'bright-at-night': [
    'night',
    (draft) => ({
      noise: 6,
      actors: [crossing(draft, [0.1, 0.15], [0.7, 1], { levels: [150, 135, 100], shadow: false })],
    }),
  ],
  parks: [
    'yard',
    (draft) => {
      const y = ground(draft, 0.4, 0.8);
      const height = HEIGHT * between(draft.random, 0.11, 0.17);
      return {
        actors: [
          {
            kind: 'car',
            height,
            levels: [between(draft.random, 40, 200), 60, 30],
            shadow: true,
            seed: draft.seed,
            at: arrive(
              [-1.3 * height, y],
              [between(draft.random, 200, 450), y + 12],
              8,
              between(draft.random, 5, 9),
            ),
          },
        ],
      };
    },
  ],
  'car-at-night': [
    'night',
    (draft) => {
      const y = ground(draft, 0.4, 0.8);
      return {
        noise: 6,
        effects: [weather.headlights([{ fromS: 7, toS: 12, y: y - 20, leftwards: false }], 1.2)],
        actors: [
          crossing(draft, [0.12, 0.17], [1.2, 1.8], { kind: 'car', levels: [110, 40, 20], shadow: false }),
        ],
      };
    },
  ],
  stands: [
    'yard',
    (draft) => {
      const y = ground(draft, 0.3, 0.8);
      const height = HEIGHT * between(draft.random, 0.11, 0.16);
      return {
        actors: [
          {
            kind: 'person',
            height,
            levels: clothes(draft.random),
            shadow: true,
            seed: draft.seed,
            at: walkAndStand(
              [-20, y],
              [between(draft.random, 180, 420), y],
              [-20, y + 10],
              6,
              0.9 * height,
              8,
            ),
          },
        ],
      };
    },
  ],
  dog: ['yard', (draft) => ({ actors: [crossing(draft, [0.07, 0.09], [1.2, 2.5], { kind: 'animal' })] })],
  'fox-at-night': [
    'night',
    (draft) => ({
      noise: 6,
      actors: [
        crossing(draft, [0.065, 0.085], [1.2, 2], { kind: 'animal', levels: [140, 165, 110], shadow: false }),
      ],
    }),
  ],
  two: [
    'yard',
    (draft) => ({
      actors: [crossing(draft, [0.11, 0.14], [0.7, 0.9]), crossing(draft, [0.1, 0.14], [0.8, 1])],
    }),
  ],
  comes: [
    'yard',
    (draft) => {
      const x = between(draft.random, 200, 440);
      return {
        actors: [
          {
            kind: 'person',
            height: HEIGHT * between(draft.random, 0.09, 0.12),
            levels: clothes(draft.random),
            shadow: true,
            seed: draft.seed,
            at: approach(
              [x, draft.backdrop.horizon + 30],
              [x + between(draft.random, -80, 80), HEIGHT - 4],
              7,
              between(draft.random, 9, 14),
              4,
            ),
          },
        ],
      };
    },
  ],
  'out-of-the-door': [
    'yard',
    (draft) => {
      const x = between(draft.random, 150, 450);
      const y = ground(draft, 0.2, 0.4);
      const height = HEIGHT * between(draft.random, 0.1, 0.14);
      return {
        actors: [
          {
            kind: 'person',
            height,
            levels: clothes(draft.random),
            shadow: true,
            seed: draft.seed,
            at: walk([x, y], [x + 260 * (draft.random() < 0.5 ? 1 : -1), y + 70], 7, 0.85 * height),
          },
        ],
      };
    },
  ],
  'in-a-breeze': [
    'yard',
    (draft) => ({ effects: [breeze(draft)], actors: [crossing(draft, [0.11, 0.15], [0.7, 1])] }),
  ],
  'in-rain': [
    'yard',
    (draft) => ({
      effects: [weather.rain(draft.seed, 200)],
      actors: [crossing(draft, [0.12, 0.16], [0.8, 1.2])],
    }),
  ],
  'in-snow': [
    'yard',
    (draft) => ({
      effects: [weather.snow(draft.seed, 250)],
      actors: [crossing(draft, [0.12, 0.16], [0.7, 1])],
    }),
  ],
  'with-insects': [
    'night',
    (draft) => ({
      noise: 5,
      effects: [weather.insects(draft.seed, 3)],
      actors: [crossing(draft, [0.12, 0.16], [0.7, 1], { levels: [150, 130, 95], shadow: false })],
    }),
  ],
  'under-clouds': [
    'yard',
    (draft) => ({
      effects: [weather.shade(draft.seed, 220, 0.45, (t) => [40 * t, 6 * t], weather.gusts(3, 14))],
      actors: [crossing(draft, [0.11, 0.15], [0.7, 1])],
    }),
  ],
  'on-a-pole': [
    'yard',
    (draft) => ({
      effects: [weather.shaking(4, weather.gusts(3, 9))],
      actors: [crossing(draft, [0.12, 0.16], [0.7, 1])],
    }),
  ],
  pumped: [
    'yard',
    (draft) => ({ effects: [weather.exposure(pumping)], actors: [crossing(draft, [0.11, 0.15], [0.7, 1])] }),
  ],
  'bad-picture': [
    'yard',
    (draft) => ({ noise: 6, quality: 41, actors: [crossing(draft, [0.12, 0.16], [0.7, 1])] }),
  ],
  indoors: ['room', (draft) => ({ actors: [crossing(draft, [0.25, 0.45], [0.5, 0.8])] })],
};
