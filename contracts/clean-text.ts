/** What the XML of a storage queue cannot carry: control characters, halves of surrogate pairs, U+FFFE and U+FFFF. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const NOT_CARRIED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/** A text of somebody else's as a queue can carry it: what it cannot becomes U+FFFD, the replacement character. */
export const cleanText = (text: string): string => text.replaceAll(NOT_CARRIED, '\uFFFD');

/** A JSON value with every text in it cleaned, names of fields included. Deep values are no danger: the caller has
 *  parsed it with a schema, which bounds its depth. */
export function cleanTexts<T>(value: T): T {
  if (typeof value === 'string') return cleanText(value) as T;
  if (Array.isArray(value)) return value.map(cleanTexts) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [cleanText(name), cleanTexts(inner as unknown)]),
  ) as T;
}
