import { randomBytes } from 'node:crypto';

/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARS = 10;
const RANDOM_BYTES = 10;
const RANDOM_SPACE = 1n << 80n;
const TIME_MAX = (1n << 48n) - 1n;
/** Last millisecond of the year 9999: later times do not fit day folders and ISO 8601. */
export const LAST_MS = 253_402_300_799_999;
/** Upper bound of the random step between two ids of one millisecond: a million clips fit a billion times. */
const STEP_BYTES = 4;

export interface ClipIdDeps {
  /** The largest id ever given, undefined when there is none yet. */
  readonly last: string | undefined;
  /** Wall clock, Unix milliseconds. May be wrong. */
  readonly nowMs: number;
  readonly random?: (bytes: number) => Uint8Array;
}

/** The next clip id: 10 characters of time, 16 of chance (ULID layout).
 *  Invariants
 *  1. Greater than `last`, as a string: ids sort by the order in which they were given, whatever the clock says.
 *  2. Chance (80 bits) keeps ids of two devices, or of a ledger begun anew, apart.
 *  While the clock is behind `last` the new id carries the time of `last` and a greater random part. */
export function nextClipId({ last, nowMs, random = randomBytes }: ClipIdDeps): string {
  const time = clamp(BigInt(Math.max(0, Math.floor(nowMs))), TIME_MAX);
  const fresh = (time << 80n) | toBigInt(random(RANDOM_BYTES));
  if (last === undefined) return encode(fresh);
  const previous = decode(last);
  if (fresh >> 80n > previous >> 80n) return encode(fresh);
  // Running over the random part carries into the time: the next id then stands one millisecond later.
  return encode(clamp(previous + 1n + toBigInt(random(STEP_BYTES)), (TIME_MAX << 80n) | (RANDOM_SPACE - 1n)));
}

const clamp = (value: bigint, max: bigint) => (value > max ? max : value);

const toBigInt = (bytes: Uint8Array) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function encode(value: bigint): string {
  let text = '';
  for (let rest = value; text.length < TIME_CHARS + 16; rest >>= 5n)
    text = (ALPHABET[Number(rest & 31n)] ?? '') + text;
  return text;
}

function decode(id: string): bigint {
  let value = 0n;
  for (const char of id) value = (value << 5n) | BigInt(ALPHABET.indexOf(char));
  return value;
}

/** The wall time that an id carries, Unix milliseconds. */
export const timeOfClipId = (id: string): number => Number(decode(id) >> 80n);

export const isClipId = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
