const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Longest look ahead: 29 February on a given week day comes within 28 years. */
const YEARS_AHEAD = 29;

/** A timer trigger's schedule: `second minute hour day month day-of-week` (the first may be left out), in UTC. */
export interface Schedule {
  /** The first occurrence after `ms`, or undefined when there is none. */
  nextAfter(ms: number): number | undefined;
}

/** @throws Error with one sentence when the expression cannot be read */
export function parseNcrontab(expression: string): Schedule {
  const given = expression.trim().split(/\s+/);
  const fields = given.length === 5 ? ['0', ...given] : given;
  if (fields.length !== 6) throw new Error(`"${expression}" is not a schedule of five or six fields.`);
  const read = (index: number, min: number, max: number, names: readonly string[] = []) =>
    valuesOf(fields[index] ?? '', min, max, names, expression);
  const [seconds, minutes, hours] = [read(0, 0, 59), read(1, 0, 59), read(2, 0, 23)];
  const days = read(3, 1, 31);
  const months = read(4, 1, 12, ['', ...MONTHS]);
  const weekDays = read(5, 0, 7, DAYS).map((day) => day % 7);

  const firstInDay = (after: Date): number | undefined => {
    for (const hour of hours)
      for (const minute of minutes)
        for (const second of seconds) {
          const ms = Date.UTC(
            after.getUTCFullYear(),
            after.getUTCMonth(),
            after.getUTCDate(),
            hour,
            minute,
            second,
          );
          if (ms >= after.getTime()) return ms;
        }
    return undefined;
  };

  return {
    nextAfter: (ms) => {
      let at = new Date(Math.floor(ms / 1000) * 1000 + 1000);
      const lastYear = at.getUTCFullYear() + YEARS_AHEAD;
      while (at.getUTCFullYear() <= lastYear) {
        const fits =
          months.includes(at.getUTCMonth() + 1) &&
          days.includes(at.getUTCDate()) &&
          weekDays.includes(at.getUTCDay());
        const found = fits ? firstInDay(at) : undefined;
        if (found !== undefined) return found;
        at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1));
      }
      return undefined;
    },
  };
}

function valuesOf(
  field: string,
  min: number,
  max: number,
  names: readonly string[],
  whole: string,
): number[] {
  const numberOf = (text: string): number => {
    const named = names.indexOf(text.toLowerCase());
    const value = named >= 0 && text !== '' ? named : Number(text);
    if (!Number.isInteger(value) || value < min || value > max || text === '')
      throw new Error(`"${text}" in the schedule "${whole}" is not a number from ${min} to ${max}.`);
    return value;
  };
  const values = field.split(',').flatMap((part) => {
    const [range = '', stepText] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    if (!Number.isInteger(step) || step < 1)
      throw new Error(`"${part}" in the schedule "${whole}" has no step.`);
    const [fromText = '', toText] = range.split('-');
    const from = range === '*' ? min : numberOf(fromText);
    const to =
      range === '*' || (toText === undefined && stepText !== undefined) ? max : numberOf(toText ?? fromText);
    return Array.from(
      { length: Math.max(0, Math.floor((to - from) / step) + 1) },
      (_, index) => from + index * step,
    );
  });
  return [...new Set(values)].sort((one, other) => one - other);
}
