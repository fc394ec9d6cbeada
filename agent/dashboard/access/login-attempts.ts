import { isIPv6 } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';

export interface LoginAttempts {
  /** Tries a password when this address may try one now.
   *  @param check whether it is the right one
   *  @returns or how long to wait before the next try, milliseconds: nothing was checked then */
  attempt(address: string, check: () => Promise<boolean>): Promise<boolean | { readonly waitMs: number }>;
}

interface Tries {
  wrong: number;
  notBeforeMs: number;
}

/** Mistypings that cost nothing. */
const FREE = 5;
const WAIT_MS = { first: 2_000, longest: 15 * 60_000 } as const;
/** Passwords that are checked or wait for it: each costs memory and a tenth of a second or more. */
const AT_ONCE = 4;
const BUSY_MS = 2_000;
/** What is remembered of addresses; the one heard of longest ago is forgotten first. */
const ADDRESSES_MAX = 1_000;

/** How often a password may be tried.
 *  Invariants
 *  1. From one address: five wrong ones, then one after 2 s, 4 s, 8 s and so on, at most 15 minutes. A right one
 *     begins anew. Who asks many times at once gains nothing: each counts before it is checked.
 *  2. One is checked at a time, from all addresses together; at most three wait. */
export function createLoginAttempts(clock: Pick<Clock, 'monotonicMs'>): LoginAttempts {
  const known = new Map<string, Tries>();
  let last: Promise<unknown> = Promise.resolve();
  let underWay = 0;

  function triesOf(address: string): Tries {
    const tries = known.get(address) ?? { wrong: 0, notBeforeMs: 0 };
    known.delete(address);
    known.set(address, tries);
    const [oldest] = known.keys();
    if (known.size > ADDRESSES_MAX && oldest !== undefined) known.delete(oldest);
    return tries;
  }

  return {
    attempt: async (from, check) => {
      const address = neighbourhood(from);
      const tries = triesOf(address);
      const waitMs = tries.notBeforeMs - clock.monotonicMs();
      if (waitMs > 0) return { waitMs };
      if (underWay >= AT_ONCE) return { waitMs: BUSY_MS };
      underWay++;
      tries.wrong++;
      if (tries.wrong >= FREE) tries.notBeforeMs = clock.monotonicMs() + waitAfter(tries.wrong);
      const checked = last.then(check);
      last = checked.catch(() => undefined);
      try {
        const isRight = await checked;
        if (isRight) known.delete(address);
        return isRight;
      } finally {
        underWay--;
      }
    },
  };
}

const waitAfter = (wrong: number) =>
  Math.min(WAIT_MS.longest, WAIT_MS.first * 2 ** Math.min(wrong - FREE, 20));

/** Who has an address of IPv6 has 2^64 of them. */
function neighbourhood(address: string): string {
  if (!isIPv6(address)) return address;
  const [, v4] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (v4 !== undefined) return v4;
  const [whole = ''] = address.split('%');
  const [head = ''] = new URL(`http://[${whole}]`).hostname.slice(1, -1).split('::');
  return head.split(':').slice(0, 4).join(':');
}
