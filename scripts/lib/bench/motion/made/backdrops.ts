import {
  type Canvas,
  createField,
  createRandom,
  eachPixel,
  between,
  HEIGHT,
  PIXELS,
  type Random,
  WIDTH,
} from './canvas.ts';

/** What a camera looks at while nothing happens. */
export interface Backdrop {
  readonly picture: Canvas;
  /** How much of each pixel is foliage, 0 to 1. */
  readonly leaves: Float32Array;
  /** Where the ground begins, and where people walk, pixels from above. */
  readonly horizon: number;
}

export type BackdropKind = 'yard' | 'night' | 'room';

/** Sky, a house with windows, a fence, a lawn and trees; a room with a door and furniture; the yard again under
 *  infrared. Everything has grain of several sizes, as real surfaces have. */
export function createBackdrop(kind: BackdropKind, seed: number): Backdrop {
  const random = createRandom(seed);
  const horizon = Math.round(between(random, 110, 170));
  const picture = new Float32Array(PIXELS);
  const leaves = new Float32Array(PIXELS);
  const coarse = createField(random, 37);
  const fine = createField(random, 5);
  const sand = createField(random, 2.1);
  const grain = (x: number, y: number, strength: number) =>
    strength * (0.6 * coarse.at(x, y) + 0.6 * fine.at(x, y) + 0.5 * sand.at(x, y));
  const upper = between(random, 150, 210);
  const ground = between(random, 80, 130);
  const roughness = between(random, 8, 18);
  eachPixel([0, 0, WIDTH, HEIGHT], (x, y, i) => {
    picture[i] =
      y < horizon
        ? upper + 3 * coarse.at(x, y)
        : ground - 0.1 * (y - horizon) + grain(x, y / (1 + (y - horizon) / 300), roughness);
  });
  if (kind === 'room') furnish(picture, random, horizon, grain);
  else build(picture, leaves, random, horizon, grain);
  if (kind === 'night') {
    // A lamp beside the lens: bright in the middle and near, black towards the corners and the sky.
    eachPixel([0, 0, WIDTH, HEIGHT], (x, y, i) => {
      const away = Math.hypot((x - WIDTH / 2) / 360, (y - 230) / 230);
      picture[i] = 14 + (0.62 * (picture[i] as number)) / (1 + 1.8 * away * away) - (y < horizon ? 12 : 0);
    });
  }
  return { picture, leaves, horizon };
}

type Grain = (x: number, y: number, strength: number) => number;

function rectangle(
  picture: Canvas,
  box: readonly [number, number, number, number],
  level: number,
  grain: Grain,
  strength: number,
) {
  eachPixel(box, (x, y, i) => {
    picture[i] = level + grain(x, y, strength);
  });
}

function build(picture: Canvas, leaves: Float32Array, random: Random, horizon: number, grain: Grain): void {
  const left = between(random, 0, 380);
  const wall = between(random, 120, 180);
  rectangle(picture, [left, horizon - 90, left + 220, horizon + 50], wall, grain, 7);
  for (const at of [30, 120])
    rectangle(
      picture,
      [left + at, horizon - 60, left + at + 45, horizon - 15],
      between(random, 40, 90),
      grain,
      4,
    );
  rectangle(picture, [left + 85, horizon - 30, left + 112, horizon + 50], between(random, 60, 110), grain, 5);
  const post = between(random, 60, 190);
  for (let x = between(random, 0, 30); x < WIDTH; x += 34)
    if (x < left - 8 || x > left + 220)
      rectangle(picture, [x, horizon - 12, x + 5, horizon + 24], post, grain, 5);
  const path = between(random, 200, 420);
  eachPixel([0, horizon, WIDTH, HEIGHT], (x, y, i) => {
    if (Math.abs(x - path - 0.4 * (y - horizon)) < 14 + 0.25 * (y - horizon))
      picture[i] = 160 + grain(x, y, 9);
  });
  const trees = 2 + Math.floor(random() * 2);
  for (let tree = 0; tree < trees; tree++) {
    const x = between(random, 30, WIDTH - 30);
    plant(picture, leaves, random, [x, horizon - between(random, 10, 50)], between(random, 45, 85), grain);
  }
  // A twig near the lens, in a corner.
  plant(
    picture,
    leaves,
    random,
    [random() < 0.5 ? 0 : WIDTH, between(random, 0, 60)],
    between(random, 50, 80),
    grain,
  );
}

function plant(
  picture: Canvas,
  leaves: Float32Array,
  random: Random,
  [cx, cy]: readonly [number, number],
  radius: number,
  grain: Grain,
): void {
  const edge = createField(random, 13);
  const tuft = createField(random, 6);
  const level = between(random, 55, 100);
  rectangle(picture, [cx - 4, cy, cx + 4, cy + radius + 60], 60, grain, 6);
  eachPixel([cx - radius * 1.4, cy - radius * 1.4, cx + radius * 1.4, cy + radius * 1.4], (x, y, i) => {
    const away = Math.hypot(x - cx, y - cy) / radius + 0.35 * edge.at(x, y);
    if (away > 1) return;
    picture[i] = level + 34 * tuft.at(x, y) + grain(x, y, 10);
    leaves[i] = Math.min(1, 0.35 + 2 * (1 - away));
  });
}

function furnish(picture: Canvas, random: Random, horizon: number, grain: Grain): void {
  const wall = between(random, 120, 190);
  rectangle(picture, [0, 0, WIDTH, horizon + 60], wall, grain, 4);
  rectangle(picture, [80, 60, 165, horizon + 60], between(random, 80, 120), grain, 5);
  for (let item = 0; item < 5; item++) {
    const x = between(random, 180, 600);
    const y = between(random, horizon - 40, HEIGHT - 60);
    rectangle(
      picture,
      [x, y, x + between(random, 40, 110), y + between(random, 25, 70)],
      between(random, 40, 200),
      grain,
      8,
    );
  }
}
