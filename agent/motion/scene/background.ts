import {
  byteOf,
  createPixelModel,
  learnAll,
  learnQuiet,
  limitOf,
  MOST_NOISE,
  type Rates,
  relight,
  setContrast,
  setRates,
  visible,
} from './learning.ts';
import type { FrameSize } from '../frame-size.ts';
import { createPlane, nextChanged } from './plane.ts';
import { createRecentPictures } from './recent.ts';

/** Side of a cell, pixels. */
export const CELL = 8;

export interface Background {
  readonly columns: number;
  readonly rows: number;
  /** Changed pixels of each cell in the last compared frame. */
  readonly changed: Uint16Array;
  /** Those of them that are brighter than the scene. */
  readonly brighter: Uint16Array;
  /** Sums of their places within the cell. */
  readonly changedX: Uint16Array;
  readonly changedY: Uint16Array;
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
  /** By how much each pixel may differ without counting as changed, grey levels. */
  readonly limits: Uint8Array;
  /** Another least contrast; scene and noise stay known. */
  retune(minContrast: number): void;
  /** The scene got brighter or darker as a whole: level becomes `gain * level + offset`. */
  relight(gain: number, offset: number): void;
}

/** A changed pixel stirs when it differs from the recent picture by more than this share of its threshold. */
const STIR_SHARE = 0.75;
/** Pictures rarer than this are learnt as a whole. */
const EVERY_ROW_MS = 400;

/** A running mean and a running mean deviation of every pixel, in 1/256 grey levels.
 *  Noise is judged pixel by pixel: leaves that sway and grain at high gain raise their own threshold, a quiet wall
 *  of low contrast keeps a low one. The mean may lie outside black and white: an exposure that clips and comes back
 *  finds the scene as it was. */
// oxlint-disable-next-line max-lines-per-function -- its inner functions run for each pixel and share a dozen planes: as parts they would get them through objects, which costs time per pixel
export function createBackground({ width, height }: FrameSize, leastContrast: number): Background {
  const columns = Math.ceil(width / CELL);
  const rows = Math.ceil(height / CELL);
  const pixels = width * height;
  const current = createPlane(pixels);
  const shown = createPlane(pixels);
  const bounds = createPlane(pixels);
  const model = createPixelModel(shown.bytes, bounds.bytes, leastContrast);
  const { mean, noise, scene, limits } = model;
  const changed = new Uint16Array(columns * rows);
  const brighter = new Uint16Array(columns * rows);
  const changedX = new Uint16Array(columns * rows);
  const changedY = new Uint16Array(columns * rows);
  const stirred = new Uint16Array(columns * rows);
  const held = new Uint8Array(columns * rows);
  const recent = createRecentPictures(pixels);
  let minContrast = leastContrast;
  const rates: Rates = { fast: 0, up: 0, down: 0, slow: 0, slowHeld: 0, sway: 0 };
  let turn = 0;

  function reset(frame: Uint8Array, atMs: number): void {
    for (let i = 0; i < pixels; i++) mean[i] = (frame[i] as number) << 8;
    scene.set(frame);
    held.fill(0);
    recent.restart(frame, atMs);
  }

  function learn(frame: Uint8Array, atMs: number, count: number): void {
    learnAll(model, frame, count);
    recent.push(frame, atMs);
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

  /** A pixel that differs from the scene.
   *  @returns 1 when it stirs */
  function learnChanged(i: number, level: number, sinceRecent: number, isHeld: boolean): number {
    const stored = mean[i] as number;
    const difference = level - visible(stored);
    const learnt = stored + ((difference * (isHeld ? rates.slowHeld : rates.slow)) >> 8);
    mean[i] = learnt;
    scene[i] = byteOf(learnt);
    const bound = STIR_SHARE * (limits[i] as number);
    if (sinceRecent <= bound && sinceRecent >= -bound) return 0;
    if (isHeld) return 1;
    const known = noise[i] as number;
    const deviation = Math.min(Math.abs(difference), MOST_NOISE);
    if (deviation > known) {
      const noisy = known + (((deviation - known) * rates.sway) >> 8);
      noise[i] = noisy;
      limits[i] = limitOf(model.bias, noisy);
    }
    return 1;
  }

  function comparePixel(i: number, x: number, y: number, before: Uint8Array, shaky: boolean): void {
    const level = current.bytes[i] as number;
    const difference = level - (scene[i] as number);
    const limit = limits[i] as number;
    if (difference <= limit && difference >= -limit) return;
    if (shaky && likeNeighbour(i, x, y, level)) return;
    const cell = (y >> 3) * columns + (x >> 3);
    changed[cell] = (changed[cell] as number) + 1;
    if (difference > 0) brighter[cell] = (brighter[cell] as number) + 1;
    changedX[cell] = (changedX[cell] as number) + (x & 7);
    changedY[cell] = (changedY[cell] as number) + (y & 7);
    const stirs = learnChanged(i, level << 8, level - (before[i] as number), held[cell] === 1);
    stirred[cell] = (stirred[cell] as number) + stirs;
  }

  function compareRow(y: number, before: Uint8Array, shaky: boolean): void {
    const row = y * width;
    const end = row + width;
    const words = (end + 3) >> 2;
    let word = row >> 2;
    while ((word = nextChanged(current.words, shown.words, bounds.words, word, words)) < words) {
      const last = Math.min(end, (word + 1) << 2);
      for (let i = Math.max(row, word << 2); i < last; i++) comparePixel(i, i - row, y, before, shaky);
      word++;
    }
  }

  function compare(frame: Uint8Array, atMs: number, elapsedMs: number, shaky: boolean): void {
    changed.fill(0);
    brighter.fill(0);
    changedX.fill(0);
    changedY.fill(0);
    stirred.fill(0);
    current.bytes.set(frame);
    const before = recent.reference(atMs);
    // Quiet pixels are learnt from every fourth row in turn: that is often enough, and most of the work.
    const everyRow = elapsedMs > EVERY_ROW_MS;
    turn = (turn + 1) & 3;
    setRates(rates, elapsedMs, everyRow ? elapsedMs : 4 * elapsedMs);
    for (let y = 0; y < height; y++) {
      if (everyRow || (y & 3) === turn) learnQuiet(model, frame, y * width, (y + 1) * width, rates);
      compareRow(y, before, shaky);
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
        const learnt = stored + (((frame[i] as number) << 8) - visible(stored)) * share;
        mean[i] = learnt;
        scene[i] = byteOf(learnt);
      }
  }

  function retune(contrast: number): void {
    minContrast = contrast;
    setContrast(model, contrast);
  }

  return {
    columns,
    rows,
    changed,
    brighter,
    changedX,
    changedY,
    stirred,
    held,
    reset,
    learn,
    compare,
    absorb,
    scene,
    limits,
    relight: (gain, offset) => relight(model, gain, offset),
    retune,
  };
}
