import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Service } from '../kernel/services/lifecycle.ts';
import type { Log } from '../kernel/log.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import { type Ledger, LEDGER_UNAVAILABLE } from './ledger.ts';

/** Between two turns. Two clips' room is kept ahead: more are rarely opened in this time. */
const EVERY_MS = 5_000;
const RETRY: BackoffPolicy = { minMs: EVERY_MS, maxMs: 60_000 };

export interface LedgerUpkeepDeps {
  readonly ledger: Pick<Ledger, 'tend'>;
  /** A clip that had to wait may be uploaded now. Must not throw. */
  readonly onSealed: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tends the ledger again and again: room ahead of need, clips that wait to be sealed, the reserve, missing files.
 *  A turn that fails is tried again, less and less often, and logged when it begins and when it is over. */
export function createLedgerUpkeep({ ledger, onSealed, clock, log }: LedgerUpkeepDeps): Service {
  const stopping = new AbortController();
  let turning: Promise<void> = Promise.resolve();
  let failures = 0;

  async function turn(): Promise<void> {
    try {
      const { sealed } = await ledger.tend();
      if (sealed > 0) onSealed();
      if (failures > 0) log.info({ event: 'ledger.tended' }, 'the ledger can be tended again');
      failures = 0;
    } catch (error) {
      if (stopping.signal.aborted) return;
      const failure = classify(error, 'ledger.tend');
      // Its condition says so already.
      if (failures === 0 && failure.code !== LEDGER_UNAVAILABLE)
        log.error({ event: 'ledger.tend-failed', code: failure.code, err: error }, failure.message);
      failures += 1;
    }
  }

  async function turns(): Promise<void> {
    do await turn();
    while (
      await sleepUnlessAborted(
        clock,
        failures === 0 ? EVERY_MS : backoffMs(RETRY, failures - 1),
        stopping.signal,
      )
    );
  }

  return {
    name: 'ledger upkeep',
    start: async () => {
      turning = turns();
    },
    stop: async () => {
      stopping.abort();
      await turning;
    },
  };
}
