import type { Clock } from '../kernel/clock.ts';
import type { Reconciler } from './reconcile.ts';
import type { Tickets } from './tickets.ts';
import type { UploadSettings } from './upload-settings.ts';

export interface VerdictRoundsDeps {
  readonly reconciler: Reconciler;
  readonly tickets: Pick<Tickets, 'waitMs'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly online: () => boolean;
  readonly settings: Pick<
    UploadSettings,
    'idleMs' | 'verdictEveryMs' | 'verdictAfterMs' | 'verdictAfterConnectMs'
  >;
}

/** When verdicts that never came are asked for: every few minutes, at once when the link has come back, and soon again
 *  after a round that brought some. */
export function createVerdictRounds(deps: VerdictRoundsDeps) {
  const { reconciler, tickets, clock, online, settings } = deps;
  let wasOnline = false;
  let dueMs = 0;
  return {
    /** Asks when it is time to; called often enough to notice that the link was gone in between.
     *  @returns how many clips are settled now */
    async turn(signal: AbortSignal): Promise<number> {
      const isOnline = online();
      const connected = isOnline && !wasOnline;
      wasOnline = isOnline;
      const isDue = connected || clock.monotonicMs() >= dueMs;
      if (!isOnline || !isDue || tickets.waitMs() > 0) return 0;
      dueMs = clock.monotonicMs() + settings.verdictEveryMs;
      const ageMs = connected ? settings.verdictAfterConnectMs : settings.verdictAfterMs;
      const settled = await reconciler.round(ageMs, signal);
      // Verdicts are there to be had: those that wait behind them need not wait for long.
      if (settled > 0) dueMs = Math.min(dueMs, clock.monotonicMs() + settings.idleMs);
      return settled;
    },
  };
}
