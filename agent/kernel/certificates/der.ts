/** Just enough of DER (X.690) to write a certificate. */

const TAG = {
  integer: 2,
  bits: 3,
  octets: 4,
  oid: 6,
  utf8: 12,
  utcTime: 23,
  sequence: 0x30,
  set: 0x31,
} as const;

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  const hex = bytes.toString(16);
  const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits]);
}

export const sequence = (...parts: readonly Uint8Array[]) => der(TAG.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]) => der(TAG.set, ...parts);
export const octets = (bytes: Uint8Array) => der(TAG.octets, bytes);
/** @param unused bits at the end that do not count */
export const bits = (bytes: Uint8Array, unused = 0) => der(TAG.bits, Buffer.from([unused]), bytes);
export const utf8 = (text: string) => der(TAG.utf8, Buffer.from(text));
export const truth = () => der(1, Buffer.from([0xff]));

/** Not negative. */
export const integer = (bytes: Uint8Array) =>
  der(TAG.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);

/** @param dotted like `2.5.4.3` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** @param ms Unix milliseconds, of the years 1950 to 2049 */
export const utcTime = (ms: number) =>
  der(TAG.utcTime, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
