/** Sends odd requests to one address, many at once, and notes what is wrong with the answers. */
import type { Random } from '../faults/random.ts';
import type { Answer, Endpoint, OddRequest } from './endpoints.ts';
import { complaintAbout } from './odd-request.ts';

export const AT_ONCE = 16;

export interface EndpointFuzz {
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
export async function fuzzEndpoint(endpoint: Endpoint, how: EndpointFuzz): Promise<Record<string, number>> {
  const { inputs, random, complain, send, isAlive, prepare, signal } = how;
  const statuses: Record<string, number> = {};
  let drawn = 0;
  const lane = async () => {
    while (drawn < inputs && isAlive()) {
      signal.throwIfAborted();
      const nth = drawn++;
      const one = endpoint.draw(random);
      const shown = `${one.method} ${one.path} ${one.body}`;
      try {
        if (nth % prepare.every === 0) for (const first of prepare.with) await send(first);
        const answer = await send(one);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const what = complaintAbout(endpoint, one, answer);
        if (what !== undefined) complain(shown, what);
      } catch (error) {
        if (endpoint.isOurs !== false) complain(shown, `no answer: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return statuses;
}
