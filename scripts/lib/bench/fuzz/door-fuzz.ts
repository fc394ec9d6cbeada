/** Sends odd requests to one address, many at once, and notes what is wrong with the answers. */
import type { Random } from '../faults/random.ts';
import type { Answer, Door, OddRequest } from './doors.ts';
import { complaintAbout } from './knock.ts';

export const AT_ONCE = 16;

export interface Knocking {
  readonly inputs: number;
  readonly random: Random;
  readonly complain: (input: string, what: string) => void;
  readonly send: (odd: OddRequest) => Promise<Answer>;
  readonly isAlive: () => boolean;
  /** Sent before every so manieth request. */
  readonly prepare: { readonly every: number; readonly with: readonly OddRequest[] };
  readonly signal: AbortSignal;
}

/** @returns how many answers there were of each status */
export async function fuzzDoor(door: Door, knocking: Knocking): Promise<Record<string, number>> {
  const { inputs, random, complain, send, isAlive, prepare, signal } = knocking;
  const statuses: Record<string, number> = {};
  let drawn = 0;
  const lane = async () => {
    while (drawn < inputs && isAlive()) {
      signal.throwIfAborted();
      const nth = drawn++;
      const one = door.draw(random);
      const shown = `${one.method} ${one.path} ${one.body}`;
      try {
        if (nth % prepare.every === 0) for (const first of prepare.with) await send(first);
        const answer = await send(one);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const what = complaintAbout(door, one, answer);
        if (what !== undefined) complain(shown, what);
      } catch (error) {
        if (door.isOurs !== false) complain(shown, `no answer: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return statuses;
}
