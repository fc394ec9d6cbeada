/** What is known of every pixel. Levels and deviations in 1/256 grey levels. */
export interface PixelModel {
  /** Running mean. It may lie outside black and white: an exposure that clips and comes back finds the scene as it
   *  was. */
  readonly mean: Int32Array;
  /** Running mean deviation. */
  readonly noise: Uint16Array;
  /** The mean as a picture, grey levels. */
  readonly scene: Uint8Array;
  /** By how much a pixel may differ without counting as changed, grey levels. */
  readonly limits: Uint8Array;
  /** The least limit, rounded up. */
  bias: number;
}

/** Shares that one look teaches, 1/256. */
export interface Rates {
  fast: number;
  up: number;
  down: number;
  slow: number;
  slowHeld: number;
  sway: number;
}

/** A pixel counts as changed beyond the least contrast and this many of its own deviations, 1/256. */
const NOISE_FACTOR = Math.round(3.2 * 256);
/** Noise assumed before anything is known. */
const FIRST_NOISE = 2 << 8;
/** A pixel that is really covered must not teach its difference as noise. */
export const MOST_NOISE = 24 << 8;
const WHITE = 255 << 8;
/** Fast learning: what agrees with the scene moves it within seconds (dusk, drift of the sensor). Slow learning:
 *  what differs moves it as slowly as a visitor may stand there. Time constants, milliseconds. */
const FAST_MS = 3_200;
const SLOW_MS = 12_800;
const SLOW_HELD_MS = 60_000;
/** Noise is learnt faster than forgotten: what flickers now and then is judged by its flicker, not by its rest. */
const NOISE_UP_MS = 2_400;
const NOISE_DOWN_MS = 12_800;
/** Noise of a pixel that stirs and belongs to nothing: leaves, water, the digits of a clock. */
const SWAY_MS = 10_000;
/** One look teaches no more than this. */
const MOST_SWAY_OF_ONE = 20;

/** Share of a difference that is learnt in this time. */
const shareOf = (elapsedMs: number, constantMs: number) =>
  Math.max(1, Math.round(256 * (1 - Math.exp(-elapsedMs / constantMs))));

/** @param quietMs the time that one learning from a quiet pixel stands for */
export function setRates(rates: Rates, elapsedMs: number, quietMs: number): void {
  rates.fast = shareOf(quietMs, FAST_MS);
  rates.up = shareOf(quietMs, NOISE_UP_MS);
  rates.down = shareOf(quietMs, NOISE_DOWN_MS);
  rates.slow = shareOf(elapsedMs, SLOW_MS);
  rates.slowHeld = shareOf(elapsedMs, SLOW_HELD_MS);
  rates.sway = Math.min(MOST_SWAY_OF_ONE, shareOf(elapsedMs, SWAY_MS));
}

/** A stored level as the picture could show it, 1/256 grey levels. */
export const visible = (level: number) => (level < 0 ? 0 : level > WHITE ? WHITE : level);
export const byteOf = (level: number) => (level < 0 ? 0 : level >= WHITE ? 255 : (level + 128) >> 8);
export const limitOf = (bias: number, deviation: number) =>
  Math.min(255, (bias + ((deviation * NOISE_FACTOR) >> 8)) >> 8);

/** Knows nothing yet.
 *  @param scene and `limits`: as many bytes as there are pixels */
export function createPixelModel(scene: Uint8Array, limits: Uint8Array, minContrast: number): PixelModel {
  const noise = new Uint16Array(scene.length).fill(FIRST_NOISE);
  const model = { mean: new Int32Array(scene.length), noise, scene, limits, bias: 0 };
  setContrast(model, minContrast);
  return model;
}

/** Another least contrast. */
export function setContrast(model: PixelModel, minContrast: number): void {
  const { noise, limits } = model;
  model.bias = minContrast * 256 + 128;
  for (let i = 0; i < limits.length; i++) limits[i] = limitOf(model.bias, noise[i] as number);
}

// In the loops below the arrays are locals: the engine would fetch anything else for each pixel anew. The hottest two
// have `visible`, `byteOf` and `limitOf` written out: elsewhere those get fractions, and are slower here for it.

/** The `count`-th picture of a scene that is learnt anew. */
export function learnAll(
  { mean, noise, scene, limits, bias }: PixelModel,
  frame: Uint8Array,
  count: number,
): void {
  for (let i = 0; i < frame.length; i++) {
    const before = mean[i] as number;
    const difference = ((frame[i] as number) << 8) - before;
    const learnt = before + ((difference / (count + 1)) | 0);
    const known = noise[i] as number;
    const noisy = known + ((Math.min(Math.abs(difference), MOST_NOISE) - known) >> 3);
    mean[i] = learnt;
    scene[i] = byteOf(learnt);
    noise[i] = noisy;
    limits[i] = limitOf(bias, noisy);
  }
}

/** Of the pixels from `begin` to `end` those that agree with the scene teach both, mean and noise. */
export function learnQuiet(
  { mean, noise, scene, limits, bias }: PixelModel,
  frame: Uint8Array,
  begin: number,
  end: number,
  { fast, up, down }: Rates,
): void {
  const faster = up - down;
  for (let i = begin; i < end; i++) {
    const f = frame[i] as number;
    const limit = limits[i] as number;
    const away = f - (scene[i] as number);
    if (away > limit || away < -limit) continue;
    const stored = mean[i] as number;
    const known = noise[i] as number;
    const difference = (f << 8) - (stored < 0 ? 0 : stored > WHITE ? WHITE : stored);
    const deviation = Math.abs(difference);
    const more = (deviation > MOST_NOISE ? MOST_NOISE : deviation) - known;
    const learnt = stored + ((difference * fast) >> 8);
    // Grain goes both ways: what depends on its sign is reckoned, not branched on.
    const noisy = known + ((more * (down + (faster & ~(more >> 31)))) >> 8);
    mean[i] = learnt;
    scene[i] = learnt < 0 ? 0 : learnt >= WHITE ? 255 : (learnt + 128) >> 8;
    noise[i] = noisy;
    const next = (bias + ((noisy * NOISE_FACTOR) >> 8)) >> 8;
    limits[i] = next > 255 ? 255 : next;
  }
}

/** The scene got brighter or darker as a whole: level becomes `gain * level + offset`, grey levels. */
export function relight({ mean, scene }: PixelModel, gain: number, offset: number): void {
  const more = offset * 256;
  for (let i = 0; i < mean.length; i++) {
    mean[i] = gain * (mean[i] as number) + more;
    const level = mean[i] as number;
    scene[i] = level < 0 ? 0 : level >= WHITE ? 255 : (level + 128) >> 8;
  }
}
