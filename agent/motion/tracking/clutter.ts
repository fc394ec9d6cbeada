/** Rain, insects and leaves make many things at once that come to nothing. */
const RISE_MS = 1_300;
const FALL_MS = 6_500;
const MOST = 12;
/** So many are usual. */
const FREE = 3;
const EACH_ASKS = 0.35;
const MOST_ASKED = 4;
const MOST_ASKED_BY_BURST = 7;

/** A thing is news for this long. */
export const NEWS_MS = 1_500;

/** How many unconfirmed things there are at a time, rising fast and falling slowly; it raises what each of them must
 *  show. A visitor comes as one thing or two; the first gust after a calm hour makes many at once, long before the
 *  level has risen: so do those that are news. */
export function createClutter() {
  let level = FREE;
  let fresh = 0;
  const steady = () => Math.min(MOST_ASKED, 1 + Math.max(0, Math.min(MOST, level) - FREE) * EACH_ASKS);
  const burst = () => Math.min(MOST_ASKED_BY_BURST, 1 + (fresh - Math.max(FREE, level)) * EACH_ASKS);
  return {
    /** Before a frame is judged: the unconfirmed things that came within the last `NEWS_MS`. */
    news(count: number): void {
      fresh = count;
    },
    note(unconfirmed: number, elapsedMs: number): void {
      level += (unconfirmed - level) * (1 - Math.exp(-elapsedMs / (unconfirmed > level ? RISE_MS : FALL_MS)));
    },
    /** Factor on age and way: 1 in a calm picture. */
    asks: () => Math.max(steady(), burst()),
    level: () => level,
  };
}
