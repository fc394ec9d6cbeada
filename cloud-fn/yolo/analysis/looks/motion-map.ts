import type { RelativeBox } from '../../detectors/detector.ts';
import type { FullPicture } from './full-picture.ts';

/** Cells across the longer side of a picture. */
const CELLS = 160;
/** No cell is smaller than so many pixels: below that is the grain of the camera. */
const MIN_CELL = 4;
/** Samples of a cell in each direction. */
const SAMPLES = 4;
/** Levels of luma by which a cell has to differ, however quiet it usually is. */
const LEAST_DIFFERENCE = 5;
/** And so many times what it usually differs by: leaves, rain, grain. */
const TIMES_USUAL = 3;
/** How fast what is usual follows. */
const FOLLOWS = 0.08;
/** When more of the picture differs, it is the light or the camera that changed, not something in it. */
const EVERYTHING_SHARE = 0.4;
/** Share of a box's cells. */
const MOVED_SHARE = 0.03;
/** Most places told of one picture. */
const MAX_PLACES = 12;

export interface Place {
  readonly box: RelativeBox;
  /** Share of the picture's cells that changed there. */
  readonly share: number;
}

export interface Motion {
  /** Where something moved since the picture before, the most motion first. Empty when the whole picture changed. */
  readonly places: readonly Place[];
  /** The whole picture changed: the light, or the camera moves. */
  readonly everywhere: boolean;
  /** Whether something moved in the box: in a cell of it, and in three in a hundred of a large one. */
  readonly movedIn: (box: RelativeBox) => boolean;
}

/** Says where pictures differ from the one before them: cheap, and only good enough to say where to look. */
export function createMotionMap() {
  let previous: Float32Array | undefined;
  let usual: Float32Array | undefined;

  function next(picture: FullPicture): Motion {
    const cell = Math.max(MIN_CELL, Math.ceil(Math.max(picture.width, picture.height) / CELLS));
    const columns = Math.max(1, Math.floor(picture.width / cell));
    const rows = Math.max(1, Math.floor(picture.height / cell));
    const levels = cellLevels(picture, cell, columns, rows);
    const before = previous?.length === levels.length ? previous : levels;
    usual = usual?.length === levels.length ? usual : new Float32Array(levels.length).fill(1);
    previous = levels;
    // A lamp or the camera's gain moves all levels alike.
    const shift = shiftOf(levels, before);
    const moved = new Uint8Array(levels.length);
    let count = 0;
    for (let at = 0; at < levels.length; at++) {
      const difference = Math.abs((levels[at] as number) - (before[at] as number) - shift);
      const normal = usual[at] as number;
      if (difference > Math.max(LEAST_DIFFERENCE, TIMES_USUAL * normal)) {
        moved[at] = 1;
        count++;
      }
      usual[at] = normal + FOLLOWS * (Math.min(difference, 4 * normal + 2) - normal);
    }
    const share = count / levels.length;
    const grid = { moved, columns, rows };
    const everywhere = share > EVERYTHING_SHARE;
    return {
      places: everywhere ? [] : placesOf(grid).slice(0, MAX_PLACES),
      everywhere,
      movedIn: (box) => movedIn(grid, box),
    };
  }

  return { next };
}

interface Grid {
  readonly moved: Uint8Array;
  readonly columns: number;
  readonly rows: number;
}

function cellLevels({ luma, width }: FullPicture, cell: number, columns: number, rows: number) {
  const levels = new Float32Array(columns * rows);
  const step = Math.max(1, Math.ceil(cell / SAMPLES));
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      let count = 0;
      for (let y = 0; y < cell; y += step)
        for (let x = 0; x < cell; x += step, count++)
          sum += luma[(row * cell + y) * width + column * cell + x] as number;
      levels[row * columns + column] = sum / count;
    }
  return levels;
}

/** The median, of some cells. */
function shiftOf(levels: Float32Array, before: Float32Array): number {
  const step = Math.max(1, Math.floor(levels.length / 1_000));
  const shifts: number[] = [];
  for (let at = 0; at < levels.length; at += step)
    shifts.push((levels[at] as number) - (before[at] as number));
  return shifts.toSorted((a, b) => a - b)[shifts.length >> 1] ?? 0;
}

/** Cells that touch, or that lie one cell apart, belong together. */
function placesOf({ moved, columns, rows }: Grid): Place[] {
  const seen = new Uint8Array(moved.length);
  const places: Place[] = [];
  for (let start = 0; start < moved.length; start++) {
    if (!moved[start] || seen[start]) continue;
    let [left, top, right, bottom, cells] = [columns, rows, 0, 0, 0];
    const queue = [start];
    seen[start] = 1;
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const x = at % columns;
      const y = Math.floor(at / columns);
      cells++;
      [left, top, right, bottom] = [
        Math.min(left, x),
        Math.min(top, y),
        Math.max(right, x + 1),
        Math.max(bottom, y + 1),
      ];
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) {
          const [nx, ny] = [x + dx, y + dy];
          if (nx < 0 || ny < 0 || nx >= columns || ny >= rows) continue;
          const neighbour = ny * columns + nx;
          if (!moved[neighbour] || seen[neighbour]) continue;
          seen[neighbour] = 1;
          queue.push(neighbour);
        }
    }
    places.push({
      box: [left / columns, top / rows, right / columns, bottom / rows],
      share: cells / moved.length,
    });
  }
  return places.toSorted((a, b) => b.share - a.share);
}

function movedIn({ moved, columns, rows }: Grid, box: RelativeBox): boolean {
  const [left, right] = [Math.floor(box[0] * columns), Math.ceil(box[2] * columns)];
  const [top, bottom] = [Math.floor(box[1] * rows), Math.ceil(box[3] * rows)];
  let cells = 0;
  let count = 0;
  for (let y = Math.max(0, top); y < Math.min(rows, bottom); y++)
    for (let x = Math.max(0, left); x < Math.min(columns, right); x++, cells++)
      count += moved[y * columns + x] as number;
  return count > 0 && count >= cells * MOVED_SHARE;
}
