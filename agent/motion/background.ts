import type { FrameSize } from './motion.ts';

/** Side of a cell, pixels. */
export const CELL = 8;

export interface Background {
  readonly columns: number;
  readonly rows: number;
  /** Changed pixels of each cell in the last compared frame. */
  readonly changed: Uint16Array;
  /** Those of them that also differ from the frame before: what stands still does not. */
  readonly stirred: Uint16Array;
  /** Takes the frame as it is for the scene; noise stays known. */
  reset(frame: Uint8Array): void;
  /** Learns from a frame without comparing: the `count`-th after a reset, 1 for the first. */
  learn(frame: Uint8Array, count: number): void;
  /** Fills `changed`, then moves the background towards the frame. */
  compare(frame: Uint8Array): void;
  /** Background brightness of a pixel, grey levels. */
  level(pixel: number): number;
  /** The scene got brighter or darker as a whole: level becomes `gain * level + offset`. */
  relight(gain: number, offset: number): void;
}

/** A pixel counts as changed beyond this many mean deviations of its own; about four sigma of Gaussian noise. */
const NOISE_FACTOR = 5;
/** A changed pixel stirs when it differs from the frame before by more than this share of its threshold. */
const STIR_SHARE = 0.75;
/** Noise assumed before anything is known, mean deviation in 1/256 grey levels. */
const FIRST_NOISE = 2 << 8;
/** A pixel that is really covered must not teach its difference as noise. */
const MOST_NOISE = 24 << 8;
/** How fast the model follows: a difference halves in about 2^shift * 0.7 frames. */
const FOLLOW_QUIET = 4;
const FOLLOW_CHANGED = 6;
const NOISE_QUIET = 5;
const NOISE_CHANGED = 7;

/** A running mean and a running mean deviation of every pixel, 8.8 fixed point.
 *  Noise is judged pixel by pixel: leaves that sway and grain at high gain raise their own threshold, a quiet wall
 *  of low contrast keeps a low one. */
export function createBackground({ width, height }: FrameSize, minContrast: number): Background {
  const columns = Math.ceil(width / CELL);
  const rows = Math.ceil(height / CELL);
  const pixels = width * height;
  const mean = new Uint16Array(pixels);
  const noise = new Uint16Array(pixels).fill(FIRST_NOISE);
  const changed = new Uint16Array(columns * rows);
  const stirred = new Uint16Array(columns * rows);
  const previous = new Uint8Array(pixels);
  const least = minContrast << 8;

  function reset(frame: Uint8Array): void {
    for (let i = 0; i < pixels; i++) mean[i] = (frame[i] as number) << 8;
    previous.set(frame);
  }

  function learn(frame: Uint8Array, count: number): void {
    for (let i = 0; i < pixels; i++) {
      const before = mean[i] as number;
      const difference = ((frame[i] as number) << 8) - before;
      mean[i] = before + ((difference / (count + 1)) | 0);
      const deviation = Math.min(difference < 0 ? -difference : difference, MOST_NOISE);
      const known = noise[i] as number;
      noise[i] = known + ((deviation - known) >> 3);
    }
    previous.set(frame);
  }

  function compare(frame: Uint8Array): void {
    changed.fill(0);
    stirred.fill(0);
    for (let y = 0, i = 0; y < height; y++) {
      const rowOfCells = (y >> 3) * columns;
      for (let column = 0; column < columns; column++) {
        const end = Math.min(i + CELL, (y + 1) * width);
        let count = 0;
        let stir = 0;
        for (; i < end; i++) {
          const before = mean[i] as number;
          const known = noise[i] as number;
          const difference = ((frame[i] as number) << 8) - before;
          const deviation = difference < 0 ? -difference : difference;
          const limit = NOISE_FACTOR * known;
          if (deviation > least && deviation > limit) {
            count++;
            const since = ((frame[i] as number) - (previous[i] as number)) << 8;
            const bound = STIR_SHARE * (least > limit ? least : limit);
            if (since > bound || since < -bound) stir++;
            mean[i] = before + (difference >> FOLLOW_CHANGED);
            noise[i] = known + (((deviation < MOST_NOISE ? deviation : MOST_NOISE) - known) >> NOISE_CHANGED);
          } else {
            mean[i] = before + (difference >> FOLLOW_QUIET);
            noise[i] = known + ((deviation - known) >> NOISE_QUIET);
          }
        }
        const cell = rowOfCells + column;
        changed[cell] = (changed[cell] as number) + count;
        stirred[cell] = (stirred[cell] as number) + stir;
      }
    }
    previous.set(frame);
  }

  function relight(gain: number, offset: number): void {
    for (let i = 0; i < pixels; i++) {
      const level = gain * (mean[i] as number) + offset * 256;
      mean[i] = level < 0 ? 0 : level > 65_280 ? 65_280 : level;
    }
  }

  return {
    columns,
    rows,
    changed,
    stirred,
    reset,
    learn,
    compare,
    level: (i) => (mean[i] as number) / 256,
    relight,
  };
}
