const LOCALES = { en: 'en-GB', uk: 'uk-UA' };

/** Times, lengths and sizes for people, in the zone of the browser.
 *  @param {string} language
 *  @param {() => number} nowMs the appliance's time, Unix milliseconds */
export function createFormat(language, nowMs) {
  const locale = LOCALES[language];
  const format = (options) => new Intl.DateTimeFormat(locale, options);
  const clock = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const shortClock = format({ hour: '2-digit', minute: '2-digit' });
  const dayAndClock = format({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const wholeDay = format({ weekday: 'long', day: 'numeric', month: 'long' });
  const dayNumber = format({ year: 'numeric', month: 'numeric', day: 'numeric' });
  const zoneName = format({ timeZoneName: 'longGeneric' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'long' });
  const percents = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });

  const dayKey = (ms) => dayNumber.format(ms);

  function since(utc) {
    const ms = Date.parse(utc);
    return (dayKey(ms) === dayKey(nowMs()) ? shortClock : dayAndClock).format(ms);
  }

  /** `today`, `yesterday`, or the day's name. */
  function day(utc, { t }) {
    const ms = Date.parse(utc);
    const now = new Date(nowMs());
    const dayBefore = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1, 12);
    if (dayKey(ms) === dayKey(now)) return t('page.today');
    if (dayKey(ms) === dayKey(dayBefore)) return t('page.yesterday');
    return wholeDay.format(ms);
  }

  function ago(utc) {
    const seconds = Math.max(0, Math.round((nowMs() - Date.parse(utc)) / 1000));
    if (seconds < 90) return relative.format(-seconds, 'second');
    if (seconds < 5400) return relative.format(-Math.round(seconds / 60), 'minute');
    if (seconds < 129_600) return relative.format(-Math.round(seconds / 3600), 'hour');
    return relative.format(-Math.round(seconds / 86_400), 'day');
  }

  /** `0:42`, `12:05` */
  function length(ms) {
    const seconds = Math.round(ms / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }

  function size(bytes) {
    const [name, divisor] =
      bytes >= 1e9 ? ['gigabyte', 1e9] : bytes >= 1e6 ? ['megabyte', 1e6] : ['kilobyte', 1e3];
    return unit(bytes / divisor, name, bytes / divisor < 10 && name !== 'kilobyte' ? 1 : 0);
  }

  const unit = (value, unit, digits = 0, unitDisplay = 'short') =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits: digits }).format(
      value,
    );

  /** `12 days`, `3 hours`, `5 minutes` */
  function span(seconds) {
    const [name, divisor] =
      seconds >= 172_800 ? ['day', 86_400] : seconds >= 7_200 ? ['hour', 3_600] : ['minute', 60];
    return unit(Math.floor(seconds / divisor), name, 0, 'long');
  }

  return {
    span,
    celsius: (degrees) => unit(degrees, 'celsius'),
    number: (value, digits = 1) =>
      new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value),
    time: (utc) => clock.format(Date.parse(utc)),
    zone: () => zoneName.formatToParts(nowMs()).find(({ type }) => type === 'timeZoneName').value,
    percent: (share) => percents.format(share),
    list: (words) => new Intl.ListFormat(locale, { type: 'conjunction' }).format(words),
    hour: (utc) => shortClock.format(Date.parse(utc)),
    since,
    day,
    ago,
    length,
    size,
  };
}
