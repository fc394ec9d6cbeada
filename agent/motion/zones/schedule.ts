import type { Schedule } from '@dachawatch/contracts';
import { WEEKDAYS, type Weekday } from '@dachawatch/contracts/weekdays';

/** No house was watched by this program before: a clock that says so has not been set. */
const CLOCK_UNSET_BEFORE_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const HOURS_24 = 1_440;

/** Whether a schedule is active at a wall time, Unix milliseconds. */
export type Active = (nowMs: number) => boolean;

const ALWAYS: Active = () => true;

/** Windows of local time; a window over midnight belongs to the day on which it begins. Local time is asked for
 *  the very moment, so a change of the clocks needs no rule: what the clock on the wall says holds. A clock that has
 *  not been set makes every schedule active: better a clip too many than none. Looked up once a minute. */
export function createSchedule(schedule: Schedule | undefined, timeZone: string): Active {
  if (!schedule) return ALWAYS;
  const windows = schedule.map(({ days, from, to }) => ({
    days: new Set<Weekday>(days ?? WEEKDAYS),
    from: minuteOf(from),
    to: minuteOf(to),
  }));
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  let minute = Number.NaN;
  let active = true;

  function look(nowMs: number): boolean {
    if (nowMs < CLOCK_UNSET_BEFORE_MS) return true;
    const { today, now } = localTime(format, nowMs);
    const index = WEEKDAYS.indexOf(today);
    const yesterday = WEEKDAYS[(index + 6) % 7] as Weekday;
    return windows.some(({ days, from, to }) => {
      if (from < to) return days.has(today) && from <= now && now < to;
      return (days.has(today) && now >= from) || (days.has(yesterday) && now < to);
    });
  }

  return (nowMs) => {
    const asked = Math.floor(nowMs / MINUTE_MS);
    if (asked !== minute) {
      minute = asked;
      active = look(nowMs);
    }
    return active;
  };
}

function minuteOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return Math.min(HOURS_24, hours * 60 + minutes);
}

function localTime(format: Intl.DateTimeFormat, nowMs: number): { today: Weekday; now: number } {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of format.formatToParts(nowMs)) parts[type] = value;
  return {
    today: (parts.weekday ?? '').toLowerCase() as Weekday,
    now: minuteOf(`${parts.hour}:${parts.minute}`),
  };
}
