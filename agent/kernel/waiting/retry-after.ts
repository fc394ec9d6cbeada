/** Longest wait that is believed: a number that is larger may be a mistake, and evidence waits behind it. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** For how long an answer asks to be left in peace: `Retry-After` in seconds or as a date, or Azure's own header in
 *  milliseconds, which is more exact and wins. A date is compared with the answer's own `Date`, because the clock of
 *  the house may be wrong.
 *  @param header of the answer, by its name in lower case
 *  @param nowMs our wall time, for an answer without `Date`
 *  @returns milliseconds, at most `RETRY_AFTER_MAX_MS`; undefined when it does not say, or not in a way that is known */
export function retryAfterMs(
  header: (name: string) => string | undefined,
  nowMs: number,
): number | undefined {
  const ms = numberIn(header('x-ms-retry-after-ms')) ?? numberIn(header('retry-after-ms'));
  const seconds = numberIn(header('retry-after'));
  const asked = ms ?? (seconds === undefined ? untilDate(header, nowMs) : seconds * 1_000);
  return asked === undefined ? undefined : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, asked));
}

function numberIn(text: string | undefined): number | undefined {
  const digits = text?.trim() ?? '';
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

function untilDate(header: (name: string) => string | undefined, nowMs: number): number | undefined {
  const until = dateIn(header('retry-after'));
  return until === undefined ? undefined : until - (dateIn(header('date')) ?? nowMs);
}

/** Dates of HTTP begin with the day of the week and are of GMT; the oldest of their three forms does not say so. */
function dateIn(text = ''): number | undefined {
  if (!/^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)/.test(text)) return undefined;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}
