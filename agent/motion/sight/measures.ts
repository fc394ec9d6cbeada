import type { FrameSize } from '../frame-size.ts';

/** What one look at a scene gives, of its pictures of the last seconds: what walks through leaves little in it. */
export interface SightMeasures {
  /** Mean brightness, 0 to 255. */
  readonly level: number;
  /** For each cell, row by row: its mean brightness. */
  readonly cellLevels: Float32Array;
  /** Cells that show more than an even surface, as 1; the others 0. */
  readonly structured: Uint8Array;
  /** The picture at a quarter of its size, row by row. */
  readonly coarse: Float32Array;
  /** Finest detail where the scene shows something: root mean square of second differences between neighbouring pixels,
   *  without those of noise, for each grey level of slope in the coarse picture. Fog and dusk take of both. */
  readonly detail: number;
}

export interface SightMeter {
  /** @param dtMs since the picture before it */
  add(grey: Uint8Array, dtMs: number): void;
  /** Of all that was added; the last picture counts most. */
  measure(): SightMeasures;
  /** The next picture is the first. */
  reset(): void;
}

/** Pixels of a picture for one of the coarse one, in each direction: noise and the codec's grain go under. */
const COARSE = 4;
/** Cells across and down. */
export const CELLS = { across: 16, down: 9 } as const;
/** A picture of so long ago counts about a third. */
const SHORT_MS = 3_000;
/** Standard deviation within a cell, in grey levels, above which it shows something. */
const STRUCTURE = 3;

export function createSightMeter(size: FrameSize): SightMeter {
  const average = new Float32Array(size.width * size.height);
  const last = new Uint8Array(average.length);
  let isFirst = true;
  /** Variance of one picture's noise, and of the average's. */
  let noise = { one: 0, left: 0 };
  return {
    reset: () => {
      isFirst = true;
      noise = { one: 0, left: 0 };
    },
    add: (grey, dtMs) => {
      const share = isFirst ? 1 : 1 - Math.exp(-dtMs / SHORT_MS);
      const one = isFirst ? 0 : noiseBetween(last, grey, size);
      // The first picture's own noise is known with the second.
      const before = noise.one === 0 ? one : noise.left;
      noise = { one, left: share ** 2 * one + (1 - share) ** 2 * before };
      isFirst = false;
      last.set(grey);
      for (let at = 0; at < average.length; at++) {
        const mean = average[at] as number;
        average[at] = mean + ((grey[at] as number) - mean) * share;
      }
    },
    measure: () => {
      const { picture: coarse, width, height } = quarter(average, size);
      const { levels, structured } = cellsOf(coarse, width, height);
      const level = levels.reduce((sum, one) => sum + one, 0) / levels.length;
      const roughness = detailOf(average, size, structured) - OF_NOISE * noise.left;
      const slope = meanSlope(coarse, width);
      const detail = slope === 0 ? 0 : Math.sqrt(Math.max(0, roughness)) / slope;
      return { level, cellLevels: levels, structured, coarse, detail };
    },
  };
}

function quarter(average: Float32Array, size: FrameSize) {
  const width = Math.floor(size.width / COARSE);
  const height = Math.floor(size.height / COARSE);
  const picture = new Float32Array(width * height);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to++) {
      let sum = 0;
      for (let row = 0; row < COARSE; row++) {
        const from = (y * COARSE + row) * size.width + x * COARSE;
        for (let column = 0; column < COARSE; column++) sum += average[from + column] as number;
      }
      picture[to] = sum / COARSE ** 2;
    }
  return { picture, width, height };
}

const cellOf = (at: number, length: number, cells: number) =>
  Math.min(cells - 1, Math.floor((at * cells) / length));

function cellsOf(coarse: Float32Array, width: number, height: number) {
  const count = CELLS.across * CELLS.down;
  const pixels = new Float32Array(count);
  const sums = new Float32Array(count);
  const squares = new Float32Array(count);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const cell = cellOf(y, height, CELLS.down) * CELLS.across + cellOf(x, width, CELLS.across);
      const value = coarse[at] as number;
      pixels[cell] = (pixels[cell] as number) + 1;
      sums[cell] = (sums[cell] as number) + value;
      squares[cell] = (squares[cell] as number) + value * value;
    }
  const levels = sums.map((sum, cell) => sum / (pixels[cell] as number));
  const structured = Uint8Array.from(squares, (square, cell) => {
    const variance = square / (pixels[cell] as number) - (levels[cell] as number) ** 2;
    return variance > STRUCTURE ** 2 ? 1 : 0;
  });
  return { levels, structured };
}

/** Root mean square, in grey levels a coarse pixel. */
function meanSlope(coarse: Float32Array, width: number): number {
  const { across, down } = slopes(coarse, width);
  let sum = 0;
  for (let at = 0; at < coarse.length; at++) sum += (across[at] as number) ** 2 + (down[at] as number) ** 2;
  return Math.sqrt(sum / coarse.length) / 2;
}

/** Variance of a second difference of white noise: 1 + 4 + 1. */
const OF_NOISE = 6;

/** Mean square of second differences, because slopes, which are left when a picture is out of focus, have none. */
function detailOf(average: Float32Array, { width, height }: FrameSize, structured: Uint8Array): number {
  let sum = 0;
  let count = 0;
  for (let y = 1; y < height - 1; y++) {
    const row = cellOf(y, height, CELLS.down) * CELLS.across;
    for (let x = 1; x < width - 1; x++) {
      if (structured[row + cellOf(x, width, CELLS.across)] === 0) continue;
      const at = y * width + x;
      const twice = 2 * (average[at] as number);
      sum += ((average[at - 1] as number) + (average[at + 1] as number) - twice) ** 2;
      sum += ((average[at - width] as number) + (average[at + width] as number) - twice) ** 2;
      count += 2;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** Variance of the noise in one picture, out of what differs between two. The median of many places, because something
 *  may have moved in some. */
function noiseBetween(one: Uint8Array, other: Uint8Array, { width, height }: FrameSize): number {
  const places: number[] = [];
  for (let y = 0; y + NOISE_PATCH <= height; y += NOISE_PATCH)
    for (let x = 0; x + NOISE_PATCH <= width; x += NOISE_PATCH) {
      let [sum, squares] = [0, 0];
      for (let row = 0; row < NOISE_PATCH; row++) {
        const from = (y + row) * width + x;
        for (let at = from; at < from + NOISE_PATCH; at++) {
          const difference = (other[at] as number) - (one[at] as number);
          sum += difference;
          squares += difference ** 2;
        }
      }
      const count = NOISE_PATCH ** 2;
      // Light that changes is no noise.
      places.push((squares - sum ** 2 / count) / (count - 1));
    }
  places.sort((a, b) => a - b);
  return (places[places.length >> 1] ?? 0) / 2;
}
const NOISE_PATCH = 10;

/** Slopes weaker than this, in grey levels a coarse pixel, are the codec's. */
const WEAK_SLOPE = 1.5;
/** A slope counts no more than this: one lamp shall not outweigh a house. */
const STRONG_SLOPE = 30;

/** Whether two coarse pictures show the same things in the same places, whatever light they stand in: the directions of
 *  their slopes, without which side is the brighter one, because infrared turns some over.
 *  @returns mean cosine of twice the angle between them, weighted by both: 1 the same, about 0 by chance; undefined: one
 *    of the two shows too little */
export function likeness(a: Float32Array, b: Float32Array, width: number): number | undefined {
  let sum = 0;
  let weight = 0;
  let places = 0;
  for (let at = width + 1; at < a.length - width - 1; at++) {
    const x1 = (a[at + 1] as number) - (a[at - 1] as number);
    const y1 = (a[at + width] as number) - (a[at - width] as number);
    const x2 = (b[at + 1] as number) - (b[at - 1] as number);
    const y2 = (b[at + width] as number) - (b[at - width] as number);
    const one = Math.hypot(x1, y1);
    const other = Math.hypot(x2, y2);
    if (one < WEAK_SLOPE || other < WEAK_SLOPE) continue;
    const dot = (x1 * x2 + y1 * y2) / (one * other);
    const both = Math.min(one, STRONG_SLOPE) * Math.min(other, STRONG_SLOPE);
    sum += both * (2 * dot * dot - 1);
    weight += both;
    places++;
  }
  return places < a.length * LEAST_PLACES ? undefined : sum / weight;
}
const LEAST_PLACES = 0.03;

export const coarseWidth = ({ width }: FrameSize): number => Math.floor(width / COARSE);

/** A shift of at least this many coarse pixels is no shaking. */
const LEAST_SHIFT = 3;
const SHIFT_STEP = 2;
const MOST_SHIFT = { across: 24, down: 12 } as const;
/** Two pictures that lie so are the same: correlation of their slopes, and by how much it must be better than where they
 *  should lie. */
const SHIFTED = { correlation: 0.45, better: 0.2 } as const;

/** Whether two coarse pictures show the same things in other places, as after a push. */
export function isShifted(a: Float32Array, b: Float32Array, width: number): boolean {
  const height = a.length / width;
  const [one, other] = [slopes(a, width), slopes(b, width)];
  const here = slopeCorrelation(one, other, { width, height }, 0, 0);
  for (let dy = -MOST_SHIFT.down; dy <= MOST_SHIFT.down; dy += SHIFT_STEP)
    for (let dx = -MOST_SHIFT.across; dx <= MOST_SHIFT.across; dx += SHIFT_STEP) {
      if (Math.hypot(dx, dy) < LEAST_SHIFT) continue;
      const there = slopeCorrelation(one, other, { width, height }, dx, dy);
      if (there >= SHIFTED.correlation && there >= here + SHIFTED.better) return true;
    }
  return false;
}

interface Slopes {
  readonly across: Float32Array;
  readonly down: Float32Array;
}

function slopes(picture: Float32Array, width: number): Slopes {
  const across = new Float32Array(picture.length);
  const down = new Float32Array(picture.length);
  const bound = (slope: number) => Math.max(-STRONG_SLOPE, Math.min(STRONG_SLOPE, slope));
  for (let at = width + 1; at < picture.length - width - 1; at++) {
    across[at] = bound((picture[at + 1] as number) - (picture[at - 1] as number));
    down[at] = bound((picture[at + width] as number) - (picture[at - width] as number));
  }
  return { across, down };
}

function slopeCorrelation(one: Slopes, other: Slopes, size: FrameSize, dx: number, dy: number): number {
  let [both, first, second] = [0, 0, 0];
  for (let y = Math.max(1, 1 - dy); y < Math.min(size.height, size.height - dy) - 1; y++)
    for (let x = Math.max(1, 1 - dx); x < Math.min(size.width, size.width - dx) - 1; x++) {
      const from = y * size.width + x;
      const to = (y + dy) * size.width + x + dx;
      const [x1, y1] = [one.across[from] as number, one.down[from] as number];
      const [x2, y2] = [other.across[to] as number, other.down[to] as number];
      both += x1 * x2 + y1 * y2;
      first += x1 * x1 + y1 * y1;
      second += x2 * x2 + y2 * y2;
    }
  return first === 0 || second === 0 ? 0 : both / Math.sqrt(first * second);
}

/** Pearson's correlation; 1 for two that are even. */
export function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (of: Float32Array) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const one = (a[at] as number) - meanA;
    const other = (b[at] as number) - meanB;
    both += one * other;
    squaresA += one * one;
    squaresB += other * other;
  }
  return squaresA === 0 || squaresB === 0 ? 1 : both / Math.sqrt(squaresA * squaresB);
}
