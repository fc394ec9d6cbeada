import { CELL } from './background.ts';

/** What came to nothing is remembered for about this long. */
const FORGET_MS = 3_600_000;
/** So often, and so much more often than elsewhere: once is chance. */
const CHANCE = 1;
const MANY = 3;
/** Elsewhere: this many times the mean of the picture, for rain and insects come to nothing everywhere. */
const USUAL = 3;
/** A larger box says nothing about a place. */
const MOST_SHARE = 0.25;
const EVERY_MS = 1_000;
/** An episode ends when nothing has been followed for this long; a longer one is judged on the way. */
const OVER_MS = 2_000;
const LONGEST_MS = 30_000;
const MOST_BOXES = 64;
/** Numbers of a box: its sides and its size. */
const BOX = 5;

export interface IdlePlaces {
  /** How idle each cell is, 0 to 1. */
  readonly idle: Float32Array;
  /** The same times the size of what came to nothing there, changed pixels. */
  readonly idlePixels: Float32Array;
  /** A thing of at most so many changed pixels, that was nowhere but in this box, came to nothing. */
  nothing(left: number, top: number, right: number, bottom: number, pixels: number): void;
  /** Something really went somewhere: what else came to nothing meanwhile was its shadow, or what it left. */
  visited(): void;
  /** After each picture.
   *  @param followed something is followed now */
  pass(elapsedMs: number, followed: boolean): void;
}

/** Places where things come to nothing clearly more often than elsewhere: a tree in each gust, a spider's thread, a
 *  reflection. The map of swaying places knows what has moved within the last minute; this one still knows it when the
 *  next gust comes after half an hour. */
export function createIdlePlaces(columns: number, rows: number): IdlePlaces {
  const cells = columns * rows;
  const counts = new Float32Array(cells);
  const sizes = new Float32Array(cells);
  const idle = new Float32Array(cells);
  const idlePixels = new Float32Array(cells);
  let total = 0;
  let sinceMs = 0;
  const boxes = new Float32Array(BOX * MOST_BOXES);
  let waiting = 0;
  let visit = false;
  let lastsMs = 0;
  let quietMs = 0;

  function endEpisode(): void {
    if (!visit) for (let at = 0; at < BOX * waiting; at += BOX) learn(at);
    waiting = 0;
    visit = false;
    lastsMs = 0;
    quietMs = 0;
  }

  function learn(at: number): void {
    const fromX = Math.floor((boxes[at] as number) / CELL);
    const fromY = Math.floor((boxes[at + 1] as number) / CELL);
    const toX = Math.min(columns, Math.ceil((boxes[at + 2] as number) / CELL));
    const toY = Math.min(rows, Math.ceil((boxes[at + 3] as number) / CELL));
    const area = (toX - fromX) * (toY - fromY);
    if (area > MOST_SHARE * cells) return;
    total += area;
    for (let y = fromY; y < toY; y++)
      for (let cell = y * columns + fromX; cell < y * columns + toX; cell++) {
        counts[cell] = (counts[cell] as number) + 1;
        sizes[cell] = Math.max(sizes[cell] as number, boxes[at + 4] as number);
      }
  }

  return {
    idle,
    idlePixels,
    nothing(left, top, right, bottom, pixels) {
      if (waiting === MOST_BOXES) return;
      const at = BOX * waiting++;
      boxes[at] = left;
      boxes[at + 1] = top;
      boxes[at + 2] = right;
      boxes[at + 3] = bottom;
      boxes[at + 4] = pixels;
    },
    visited() {
      visit = true;
    },
    pass(elapsedMs, followed) {
      lastsMs += elapsedMs;
      quietMs = followed ? 0 : quietMs + elapsedMs;
      if (quietMs >= OVER_MS || lastsMs >= LONGEST_MS) endEpisode();
      // As long as nothing is known there is nothing to forget.
      sinceMs = total === 0 ? 0 : sinceMs + elapsedMs;
      if (sinceMs < EVERY_MS) return;
      const keep = Math.exp(-sinceMs / FORGET_MS);
      sinceMs = 0;
      total *= keep;
      const usual = CHANCE + (USUAL * total) / cells;
      for (let cell = 0; cell < cells; cell++) {
        const count = (counts[cell] as number) * keep;
        counts[cell] = count;
        const more = Math.max(0, Math.min(1, (count - usual) / MANY));
        idle[cell] = more;
        idlePixels[cell] = more * (sizes[cell] as number);
        if (count < CHANCE) sizes[cell] = (sizes[cell] as number) * keep;
      }
    },
  };
}
