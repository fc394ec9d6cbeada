/** Order of `Date.getUTCDay` is another one: these begin with Monday, as calendars here do. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
