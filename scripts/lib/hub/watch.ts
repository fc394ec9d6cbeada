/** `scripts/hub watch`: the stream of the local hub, taken up again where it broke. */
import { backoffMs } from '../../../agent/kernel/waiting/backoff.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { sleepUnlessAborted } from '../../../agent/kernel/waiting/sleep.ts';
import type { HubClient } from './client.ts';
import { eventLine } from './words.ts';

const RETRY = { minMs: 500, maxMs: 10_000 };

/** Prints until the signal comes, or until everything so far is printed. A hub that goes away is waited for, once it
 *  has been there.
 *  @throws Failure when it was not there at all, or says no */
export async function watch(
  hub: HubClient,
  options: {
    readonly device: string | undefined;
    readonly sinceS: number | undefined;
    readonly untilNow: boolean;
    readonly json: boolean;
    readonly print: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { device, sinceS, untilNow, json, print, signal } = options;
  const query = new URLSearchParams();
  if (device !== undefined) query.set('deviceId', device);
  if (untilNow) query.set('follow', '0');
  if (untilNow || sinceS !== undefined) query.set('since', String(Math.round(sinceS ?? 1e9)));
  let attempt = 0;
  let served = false;
  while (!signal.aborted) {
    try {
      for await (const event of hub.watch(query, signal)) {
        [attempt, served] = [0, true];
        if (typeof event['sequence'] === 'number') {
          query.delete('since');
          query.set('after', String(event['sequence']));
        }
        if (json) print(JSON.stringify(event));
        else if (event['kind'] !== 'here') print(eventLine(event));
      }
      if (untilNow || signal.aborted) return;
    } catch (error) {
      const passing = error instanceof Failure && error.kind === 'transient';
      if (!passing || !served) throw error;
      if (attempt === 0) process.stderr.write(`scripts/hub: ${error.message}; waiting for it\n`);
    }
    await sleepUnlessAborted(systemClock, backoffMs(RETRY, attempt), signal);
    attempt += 1;
  }
}
