/** Rounds figures so that noise does not look like news.
 *  @param name whose figure it is
 *  @returns `value` rounded to `step`; the figure of before as long as the value has not moved a whole step away, so
 *    that one that trembles on a border does not jump to and fro */
export type Steady = (name: string, value: number, step: number) => number;

export function createSteady(): Steady {
  const shown = new Map<string, number>();
  return (name, value, step) => {
    const before = shown.get(name);
    if (before !== undefined && Math.abs(value - before) < step) return before;
    const rounded = toStep(value, step);
    shown.set(name, rounded);
    return rounded;
  };
}

/** Without the tail that 114 × 0.1 has in binary. */
const toStep = (value: number, step: number) => Number((Math.round(value / step) * step).toFixed(6));

/** The step that leaves so many digits of a whole number. */
export const stepOfDigits = (value: number, digits: number): number =>
  Math.max(1, 10 ** (Math.floor(Math.log10(Math.max(1, value))) - digits + 1));

const AGES_MS = [5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000] as const;

/** An age as the least of a few marks that it does not exceed: a living camera is always at the first.
 *  Older than all marks: the last. */
export const ageMark = (ms: number): number => AGES_MS.find((mark) => ms <= mark) ?? AGES_MS[8];

/** Seconds since a start, rounded down: quarters of the first hour, hours of the first day, then days. */
export function uptimeMark(seconds: number): number {
  const step = seconds < 3_600 ? 900 : seconds < 86_400 ? 3_600 : 86_400;
  return Math.floor(Math.max(0, seconds) / step) * step;
}
