/** A night by the house's own clock: from six in the evening to eight in the morning. */
export const NIGHT = { fromHour: 18, toHour: 8 };

export interface Night {
  /** Wall times, Unix milliseconds: the first one belongs to the night, the last one does not. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether it goes on now. */
  readonly isNow: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The night that goes on, or by day the one that ended in the morning.
 *  @param timeZone IANA name. Where the clocks change in it, the night is an hour longer or shorter */
export function lastNight(nowMs: number, timeZone: string): Night {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  });
  /** What the clock on the wall says, as if it were UTC. */
  const wallOf = (ms: number): number => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
  };
  /** When the clock on the wall says so: the offset from UTC is looked up twice, because it may change in between. */
  const whenWallIs = (wall: number): number => {
    const guess = wall - (wallOf(wall) - wall);
    return guess - (wallOf(guess) - wall);
  };
  const second = Math.floor(nowMs / 1000) * 1000;
  const wall = wallOf(second);
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  const hasBegun = wall - midnight >= NIGHT.fromHour * HOUR_MS;
  const evening = midnight + NIGHT.fromHour * HOUR_MS - (hasBegun ? 0 : DAY_MS);
  const morning = midnight + NIGHT.toHour * HOUR_MS + (hasBegun ? DAY_MS : 0);
  const toMs = whenWallIs(morning);
  return { fromMs: whenWallIs(evening), toMs, isNow: nowMs < toMs };
}
