import type { TelemetryData, TelemetryEvent } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { type Log, redact } from '../kernel/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { shorten } from './fit.ts';
import { REPORTS } from './pace.ts';

export interface Teller {
  /** @returns false when it could not be stored now */
  tell<E extends TelemetryEvent>(event: E, data: TelemetryData<E>): boolean;
  /** Does work that may fail: it is logged once until it works again, or fails otherwise.
   *  @returns what went wrong; undefined when all is well
   *  @throws what is a bug */
  attempt(what: 'look' | 'store', work: () => void): Failure | undefined;
}

/** Puts events into the ledger's outbox. After one that could not be stored it pauses. */
export function createTeller({
  ledger,
  clock,
  log,
}: {
  readonly ledger: Pick<Ledger, 'tell'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}): Teller {
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** Code of the failure that was logged last; none while all is well. */
  const failing = new Map<string, string>();

  function attempt(what: 'look' | 'store', work: () => void): Failure | undefined {
    try {
      work();
      failing.delete(what);
      return undefined;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
      if (failing.get(what) !== error.code)
        log.error({ event: `reports.${what}-failed`, code: error.code }, error.message);
      failing.set(what, error.code);
      return error;
    }
  }

  return {
    attempt,
    tell: (event, data) => {
      if (clock.monotonicMs() < pausedUntilMs) return false;
      const failure = attempt('store', () => ledger.tell(event, data));
      if (failure === undefined) return true;
      // The same bytes will never be taken.
      if (failure.kind === 'rejected') return true;
      pausedUntilMs = clock.monotonicMs() + REPORTS.pauseMs;
      return false;
    },
  };
}

/** A sentence without secrets, short enough for a message. */
export const tellable = (sentence: string): string => shorten(redact(sentence), 1_000);

/** A detail, if there is one. */
export const detailOf = (detail: string | null): { readonly detail?: string } =>
  detail === null ? {} : { detail: tellable(detail) };
