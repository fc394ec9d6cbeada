import type { Refusal } from '@dachawatch/contracts';
import { redact } from '../kernel/log.ts';

/** More are counted and not named, so that the report stays far below the 32 KB of a twin. */
export const MAX_REFUSALS = 50;
const MAX_PATH = 200;
const MAX_REASON = 300;

export interface Refusals {
  /** @param place names of the properties, from the top */
  add(place: readonly string[], reason: string): void;
  list(): Refusal[];
}

/** Collects what was refused. Names of properties come from outside: they are redacted and cut. */
export function createRefusals(): Refusals {
  const named: Refusal[] = [];
  let more = 0;
  return {
    add: (place, reason) => {
      if (named.length < MAX_REFUSALS)
        named.push({ path: cut(pointer(place), MAX_PATH), reason: cut(reason, MAX_REASON) });
      else more += 1;
    },
    list: () => (more === 0 ? named : [...named, { path: '', reason: `${more} more values were refused` }]),
  };
}

export const pointer = (place: readonly string[]) =>
  place.map((name) => `/${redact(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
