import { distance } from '../distance.ts';

/** So many turns in a row make a swing, each soon after the one before. */
const TURNS = 3;
const TURN_MS = 3_000;
/** It turns where it turned the last time but one, give or take this share of the way between. */
const SAME_PLACE = 0.6;

/** Whether a thing goes to and fro. A branch, a thread with its spider, washing on the line go as far and as straight as
 *  a small animal, for a second or two; but they come back, and back again. */
export interface Oscillation {
  /** @param least a way shorter than this is no turn, pixels */
  add(x: number, y: number, least: number, atMs: number): void;
  clear(): void;
  isOn(atMs: number): boolean;
}

export function createOscillation(): Oscillation {
  const across = createTurns();
  const along = createTurns();
  return {
    add(x, y, least, atMs) {
      across.add(x, y, least, atMs);
      along.add(y, x, least, atMs);
    },
    clear() {
      across.clear();
      along.clear();
    },
    isOn: (atMs) => across.isOn(atMs) || along.isOn(atMs),
  };
}

/** Turns along one direction: a turn is a way of at least `least` back from the farthest place. */
function createTurns() {
  let heading = 0;
  let farthest = Number.NaN;
  let beside = 0;
  let turns = 0;
  let turnedMs = 0;
  /** The last two turns. */
  const places = new Float64Array(4);

  function turn(atMs: number): void {
    const again = distance(farthest - (places[0] as number), beside - (places[1] as number));
    const way = distance(farthest - (places[2] as number), beside - (places[3] as number));
    const same = atMs - turnedMs <= TURN_MS && (turns < 2 || again < SAME_PLACE * way);
    turns = same ? turns + 1 : 1;
    places.copyWithin(0, 2);
    places[2] = farthest;
    places[3] = beside;
    turnedMs = atMs;
  }

  return {
    add(place: number, other: number, least: number, atMs: number): void {
      const way = Number.isNaN(farthest) ? 0 : place - farthest;
      if (Number.isNaN(farthest) || way * heading > 0 || (heading === 0 && Math.abs(way) >= least)) {
        if (heading === 0) heading = Math.sign(way);
        farthest = place;
        beside = other;
      } else if (heading !== 0 && Math.abs(way) >= least) {
        turn(atMs);
        heading = -heading;
        farthest = place;
        beside = other;
      }
    },
    clear(): void {
      heading = 0;
      farthest = Number.NaN;
      turns = 0;
    },
    isOn: (atMs: number): boolean => turns >= TURNS && atMs - turnedMs <= TURN_MS,
  };
}
