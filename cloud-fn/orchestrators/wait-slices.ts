/** A wait is made of at most so many slices, none shorter than this. */
const MOST_SLICES = 24;
const SHORTEST_MS = 60_000;

/** When the slices of a wait end, milliseconds from its beginning; the last is the whole wait. How many there are
 *  depends on the wait alone: timers may fire a second early or minutes late, and a loop that asks the clock would spin
 *  or never end. */
export function slicesOf(waitMs: number): number[] {
  const slices = Math.min(MOST_SLICES, Math.max(1, Math.round(waitMs / SHORTEST_MS)));
  return Array.from({ length: slices }, (_, index) => Math.round((waitMs * (index + 1)) / slices));
}
