/** Rain, insects and leaves make many things at once that come to nothing. */
const RISE_MS = 1_300;
const FALL_MS = 6_500;
const MOST = 12;
/** So many are usual. */
const FREE = 3;
const EACH_ASKS = 0.35;
const MOST_ASKED = 4;

/** How many unconfirmed things there are at a time, rising fast and falling slowly; it raises what each of them must
 *  show. */
export function createClutter() {
  let level = FREE;
  return {
    note(unconfirmed: number, elapsedMs: number): void {
      const now = Math.min(MOST, unconfirmed);
      level += (now - level) * (1 - Math.exp(-elapsedMs / (now > level ? RISE_MS : FALL_MS)));
    },
    /** Factor on age and way: 1 in a calm picture. */
    asks: () => Math.min(MOST_ASKED, 1 + Math.max(0, level - FREE) * EACH_ASKS),
    level: () => level,
  };
}
