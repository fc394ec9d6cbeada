import { distance } from '../distance.ts';

/** How long a way is looked at. */
const WINDOW_MS = 2_000;
const MAX_PLACES = 16;
/** Steps shorter than this are noise of the middle, not way. */
const NOISE_STEP = 1;

/** Where one thing was in the last seconds. */
export interface Trajectory {
  add(x: number, y: number, atMs: number): void;
  /** Moves all places: the next step counts from there. */
  shift(dx: number, dy: number): void;
  clear(): void;
  count(): number;
  /** From the oldest place to the newest, milliseconds. */
  ageMs(): number;
  /** From the oldest place to the newest, straight. */
  net(): number;
  /** The sum of the steps. */
  path(): number;
  /** The longest step. */
  longest(): number;
  /** The last step. */
  lastX(): number;
  lastY(): number;
}

/** At least three places are kept, however old, for cameras that send few pictures. */
export function createTrajectory(): Trajectory {
  const xs = new Float32Array(MAX_PLACES);
  const ys = new Float32Array(MAX_PLACES);
  const times = new Float64Array(MAX_PLACES);
  let count = 0;

  function drop(places: number): void {
    xs.copyWithin(0, places, count);
    ys.copyWithin(0, places, count);
    times.copyWithin(0, places, count);
    count -= places;
  }

  const step = (i: number) =>
    distance((xs[i] as number) - (xs[i - 1] as number), (ys[i] as number) - (ys[i - 1] as number));

  return {
    add(x, y, atMs) {
      if (count === MAX_PLACES) drop(1);
      while (count > 2 && atMs - (times[0] as number) > WINDOW_MS) drop(1);
      xs[count] = x;
      ys[count] = y;
      times[count++] = atMs;
    },
    shift(dx, dy) {
      for (let i = 0; i < count; i++) {
        xs[i] = (xs[i] as number) + dx;
        ys[i] = (ys[i] as number) + dy;
      }
    },
    clear() {
      count = 0;
    },
    count: () => count,
    ageMs: () => (count < 2 ? 0 : (times[count - 1] as number) - (times[0] as number)),
    net: () =>
      count < 2
        ? 0
        : distance(
            (xs[count - 1] as number) - (xs[0] as number),
            (ys[count - 1] as number) - (ys[0] as number),
          ),
    path() {
      let sum = 0;
      for (let i = 1; i < count; i++) {
        const one = step(i);
        if (one > NOISE_STEP) sum += one;
      }
      return sum;
    },
    longest() {
      let most = 0;
      for (let i = 1; i < count; i++) most = Math.max(most, step(i));
      return most;
    },
    lastX: () => (count < 2 ? 0 : (xs[count - 1] as number) - (xs[count - 2] as number)),
    lastY: () => (count < 2 ? 0 : (ys[count - 1] as number) - (ys[count - 2] as number)),
  };
}
