import type { FrameSize } from './motion.ts';
import { createRecentPictures } from './recent.ts';

/** Side of a cell, pixels. */
export const CELL = 8;

export interface Background {
  readonly columns: number;
  readonly rows: number;
  /** Changed pixels of each cell in the last compared frame. */
  readonly changed: Uint16Array;
  /** Those of them that also differ from the picture of about a second ago: what stands still does not. */
  readonly stirred: Uint16Array;
  /** Cells with 1 hold a thing that is followed: it is not learnt as scene, nor its motion as noise. */
  readonly held: Uint8Array;
  /** Takes the frame as it is for the scene; noise stays known. */
  reset(frame: Uint8Array, atMs: number): void;
  /** Learns from a frame without comparing: the `count`-th after a reset, 1 for the first. */
  learn(frame: Uint8Array, atMs: number, count: number): void;
  /** Fills `changed` and `stirred`, then moves the scene towards the frame.
   *  @param elapsedMs since the frame before
   *  @param shaky a pixel may also look like one of its eight neighbours */
  compare(frame: Uint8Array, atMs: number, elapsedMs: number, shaky: boolean): void;
  /** Moves one cell of the scene towards the frame: 0 not at all, 1 altogether. */
  absorb(frame: Uint8Array, cell: number, share: number): void;
  /** The scene as a picture, grey levels. */
  readonly scene: Uint8Array;
  /** The scene got brighter or darker as a whole: level becomes `gain * level + offset`. */
  relight(gain: number, offset: number): void;
}

/** A pixel counts as changed beyond the least contrast and this many of its own deviations. */
const NOISE_FACTOR = 3.2;
/** A changed pixel stirs when it differs from the recent picture by more than this share of its threshold. */
const STIR_SHARE = 0.75;
/** Noise assumed before anything is known, mean deviation in 1/256 grey levels. */
const FIRST_NOISE = 2 << 8;
/** A pixel that is really covered must not teach its difference as noise. */
const MOST_NOISE = 24 << 8;
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

/** Share of a difference that is learnt in this time, 1/256. */
const shareOf = (elapsedMs: number, constantMs: number) =>
  Math.max(1, Math.round(256 * (1 - Math.exp(-elapsedMs / constantMs))));

/** A running mean and a running mean deviation of every pixel, in 1/256 grey levels.
 *  Noise is judged pixel by pixel: leaves that sway and grain at high gain raise their own threshold, a quiet wall
 *  of low contrast keeps a low one. The mean may lie outside black and white: an exposure that clips and comes back
 *  finds the scene as it was. */
export function createBackground({ width, height }: FrameSize, minContrast: number): Background {
  const columns = Math.ceil(width / CELL);
  const rows = Math.ceil(height / CELL);
  const pixels = width * height;
  const mean = new Int32Array(pixels);
  const scene = new Uint8Array(pixels);
  const noise = new Uint16Array(pixels).fill(FIRST_NOISE);
  const changed = new Uint16Array(columns * rows);
  const stirred = new Uint16Array(columns * rows);
  const held = new Uint8Array(columns * rows);
  const recent = createRecentPictures(pixels);
  const least = minContrast << 8;

  const seen = (level: number) => (level < 0 ? 0 : level > WHITE ? WHITE : level);

  function reset(frame: Uint8Array, atMs: number): void {
    for (let i = 0; i < pixels; i++) mean[i] = (frame[i] as number) << 8;
    scene.set(frame);
    held.fill(0);
    recent.restart(frame, atMs);
  }

  function learn(frame: Uint8Array, atMs: number, count: number): void {
    for (let i = 0; i < pixels; i++) {
      const before = mean[i] as number;
      const difference = ((frame[i] as number) << 8) - before;
      mean[i] = before + ((difference / (count + 1)) | 0);
      const deviation = Math.min(difference < 0 ? -difference : difference, MOST_NOISE);
      const known = noise[i] as number;
      noise[i] = known + ((deviation - known) >> 3);
    }
    show();
    recent.push(frame, atMs);
  }

  function show(): void {
    for (let i = 0; i < pixels; i++) scene[i] = seen(mean[i] as number) >> 8;
  }

  /** Whether the level lies within what the eight neighbours show, give or take the least contrast. */
  function likeNeighbour(i: number, x: number, y: number, level: number): boolean {
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return true;
    let low = 255;
    let high = 0;
    for (let row = i - width; row <= i + width; row += width)
      for (let j = row - 1; j <= row + 1; j++) {
        const near = scene[j] as number;
        if (near < low) low = near;
        if (near > high) high = near;
      }
    return level >= low - minContrast && level <= high + minContrast;
  }

  function compare(frame: Uint8Array, atMs: number, elapsedMs: number, shaky: boolean): void {
    changed.fill(0);
    stirred.fill(0);
    const before = recent.reference(atMs);
    const fast = shareOf(elapsedMs, FAST_MS);
    const slow = shareOf(elapsedMs, SLOW_MS);
    const slowHeld = shareOf(elapsedMs, SLOW_HELD_MS);
    const up = shareOf(elapsedMs, NOISE_UP_MS);
    const down = shareOf(elapsedMs, NOISE_DOWN_MS);
    const sway = shareOf(elapsedMs, SWAY_MS);
    for (let y = 0, i = 0; y < height; y++) {
      const rowOfCells = (y >> 3) * columns;
      for (let column = 0; column < columns; column++) {
        const end = Math.min(i + CELL, (y + 1) * width);
        const isHeld = held[rowOfCells + column] === 1;
        let count = 0;
        let stir = 0;
        for (; i < end; i++) {
          const stored = mean[i] as number;
          const known = noise[i] as number;
          const level = (frame[i] as number) << 8;
          const difference = level - (stored < 0 ? 0 : stored > WHITE ? WHITE : stored);
          const deviation = difference < 0 ? -difference : difference;
          const limit = least + NOISE_FACTOR * known;
          const taught = deviation < MOST_NOISE ? deviation : MOST_NOISE;
          let learnt = stored;
          if (deviation > limit && !(shaky && likeNeighbour(i, i - y * width, y, level >> 8))) {
            count++;
            const since = ((frame[i] as number) - (before[i] as number)) << 8;
            const stirs = since > STIR_SHARE * limit || since < -STIR_SHARE * limit;
            if (stirs) stir++;
            learnt += (difference * (isHeld ? slowHeld : slow)) >> 8;
            if (stirs && !isHeld && taught > known) noise[i] = known + (((taught - known) * sway) >> 8);
          } else {
            learnt += (difference * fast) >> 8;
            noise[i] = known + (((taught - known) * (taught > known ? up : down)) >> 8);
          }
          mean[i] = learnt;
          scene[i] = learnt < 0 ? 0 : learnt > WHITE ? 255 : learnt >> 8;
        }
        const cell = rowOfCells + column;
        changed[cell] = (changed[cell] as number) + count;
        stirred[cell] = (stirred[cell] as number) + stir;
      }
    }
    recent.push(frame, atMs);
  }

  function absorb(frame: Uint8Array, cell: number, share: number): void {
    const left = (cell % columns) * CELL;
    const top = Math.floor(cell / columns) * CELL;
    const right = Math.min(width, left + CELL);
    for (let y = top; y < Math.min(height, top + CELL); y++)
      for (let i = y * width + left; i < y * width + right; i++) {
        const stored = mean[i] as number;
        const learnt = stored + (((frame[i] as number) << 8) - seen(stored)) * share;
        mean[i] = learnt;
        scene[i] = seen(learnt) >> 8;
      }
  }

  function relight(gain: number, offset: number): void {
    for (let i = 0; i < pixels; i++) mean[i] = gain * (mean[i] as number) + offset * 256;
    show();
  }

  return {
    columns,
    rows,
    changed,
    stirred,
    held,
    reset,
    learn,
    compare,
    absorb,
    scene,
    relight,
  };
}
