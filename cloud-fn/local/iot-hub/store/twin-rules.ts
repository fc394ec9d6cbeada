import type { Json } from '@dachawatch/contracts';

/** What IoT Hub documents for tags, desired and reported properties (Understand device twins, "Format"). What a
 *  live hub answers when they are broken was not seen. */
const DEPTH_LIMIT = 10;
const KEY_LIMIT_BYTES = 1024;
const TEXT_LIMIT_BYTES = 4096;
const INTEGER_MIN = -4_503_599_627_370_496;
const INTEGER_MAX = 4_503_599_627_370_495;
/** Control characters of both segments, full stop, dollar sign, space. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const FORBIDDEN_IN_KEY = /[\u0000-\u001f\u007f-\u009f.$ ]/;
// oxlint-disable-next-line no-control-regex -- not counted by the hub
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Why the hub takes no such section; undefined when it does. Null, which deletes, must have gone before.
 *  The section must have passed `isTooDeep`. */
export function twinFault(value: unknown): string | undefined {
  if (typeof value === 'string')
    return Buffer.byteLength(value) > TEXT_LIMIT_BYTES ? 'A text is longer than 4 KB' : undefined;
  if (typeof value === 'number') {
    const inRange = !Number.isInteger(value) || (value >= INTEGER_MIN && value <= INTEGER_MAX);
    return inRange ? undefined : 'An integer is beyond 52 bits';
  }
  if (value === null) return 'An array holds null';
  if (typeof value !== 'object') return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const fault = (Array.isArray(value) ? undefined : keyFault(key)) ?? twinFault(inner);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function keyFault(key: string): string | undefined {
  if (key === '' || Buffer.byteLength(key) > KEY_LIMIT_BYTES) return 'A key is empty or longer than 1 KB';
  return FORBIDDEN_IN_KEY.test(key)
    ? `The key ${JSON.stringify(key)} holds a dot, a dollar sign, a space or a control character`
    : undefined;
}

export const TOO_DEEP = `Properties are nested deeper than ${DEPTH_LIMIT}`;
/** Looked at before anything else that walks through a section: what is deeper could exhaust the stack. */
export const isTooDeep = (section: unknown, levels = DEPTH_LIMIT): boolean =>
  typeof section === 'object' &&
  section !== null &&
  (levels < 0 || Object.values(section).some((inner) => isTooDeep(inner, levels - 1)));

/** Size of a section as the hub counts it: names and texts by their bytes, numbers 8, truth values 4. */
export function twinSize(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value.replace(CONTROL, ''));
  if (typeof value === 'number') return 8;
  if (typeof value === 'boolean') return 4;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + twinSize(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value as Json).reduce(
    (sum, [key, item]) => sum + Buffer.byteLength(key) + twinSize(item),
    0,
  );
}
