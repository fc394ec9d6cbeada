import { randomBytes } from 'node:crypto';
import { isClipId } from '@dachawatch/contracts/clip-id';
import { Failure } from '../../kernel/failure.ts';

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
/** Ids that are looked at above the last one, and then anywhere. */
const TRIES_ABOVE = 16;
const ID_MAX = (TIME_MAX << 80n) | (RANDOM_SPACE - 1n);

export interface ClipIdDeps {
  /** The largest id ever given, undefined when there is none yet. */
  readonly last: string | undefined;
  /** Wall clock, Unix milliseconds. May be wrong. */
  readonly nowMs: number;
  readonly random?: (bytes: number) => Uint8Array;
  /** Whether an id was given before. */
  readonly isTaken?: (id: string) => boolean;
}

/** The next clip id: 10 characters of time, 16 of chance (ULID layout).
 *  Invariants
 *  1. Greater than `last`, as a string: ids sort by the order in which they were given, whatever the clock says.
 *  2. Chance (80 bits) keeps ids of two devices, or of a ledger begun anew, apart.
 *  3. None that was given before. Where no free one above `last` is found, as at the end of time, (1) yields.
 *  While the clock is behind `last` the new id carries the time of `last` and a greater random part.
 *  @throws Failure `bug` when chance yields nothing but ids that were given before */
export function nextClipId({ last, nowMs, random = randomBytes, isTaken = () => false }: ClipIdDeps): string {
  const time = clamp(BigInt(Math.max(0, Math.floor(nowMs))), TIME_MAX);
  const fresh = () => encode((time << 80n) | toBigInt(random(RANDOM_BYTES)));
  const candidate = (attempt: number): string => {
    if (last === undefined || attempt >= TRIES_ABOVE) return fresh();
    const previous = decode(last);
    if (time > previous >> 80n) return fresh();
    // Running over the random part carries into the time: the next id then stands one millisecond later.
    return encode(clamp(previous + 1n + toBigInt(random(STEP_BYTES)), ID_MAX));
  };
  for (let attempt = 0; attempt < 2 * TRIES_ABOVE; attempt++) {
    const id = candidate(attempt);
    if (!isTaken(id)) return id;
  }
  throw new Failure('bug', 'ledger.clip-id', 'no clip id is free');
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

/** Whether a ledger may have given this id. 26 characters say 130 bits and ours have 128: the first is 0 to 7, and time
 *  and chance are read out of it by arithmetic that a larger one would overflow. */
export const isOwnClipId = (text: string): boolean => isClipId(text) && text < '8';

/** The smallest id that carries this time, Unix milliseconds. */
export const firstIdAt = (ms: number): string => encode(BigInt(Math.max(0, Math.floor(ms))) << 80n);

/** Ids from here on carry a time that no clip can have. */
export const firstImpossibleId = (): string => firstIdAt(LAST_MS + 1);

/** A damaged time that no calendar has becomes the nearest one that it has: the check tells of it. */
export const timeIn = (ms: number): number => Math.min(LAST_MS, Math.max(0, ms));
