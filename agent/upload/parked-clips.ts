import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Log } from '../kernel/log.ts';
import type { Ledger } from '../ledger/ledger.ts';

export interface ParkedClips {
  /** Tells of the clips that are parked. */
  tell(): void;
  /** Puts one whose time has come back into the queue. One at a time and seldom: what was refused once keeps nobody
   *  else waiting.
   *  @returns whether one was put back */
  tryOne(): boolean;
  /** A clip was accepted. When it is the one tried last, the next may follow at once. */
  accepted(clipId: string): void;
}

export function createParkedClips({
  ledger,
  conditions,
  everyMs,
  clock,
  log,
}: {
  readonly ledger: Pick<Ledger, 'returnParked' | 'parked'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  /** Least time between two tries, milliseconds. */
  readonly everyMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}): ParkedClips {
  let tried = { clipId: '', nextMs: 0 };
  return {
    tell() {
      const { clips, reason } = ledger.parked();
      if (clips === 0) conditions.clear('clips-parked');
      else
        conditions.raise(
          'clips-parked',
          `${clips === 1 ? 'the upload of a clip was' : `the uploads of ${clips} clips were`} refused; ` +
            `kept here and tried again slowly. The newest says: ${reason ?? 'nothing'}`,
        );
    },
    tryOne() {
      if (clock.monotonicMs() < tried.nextMs) return false;
      const clipId = ledger.returnParked();
      if (clipId === undefined) return false;
      tried = { clipId, nextMs: clock.monotonicMs() + everyMs };
      log.info({ event: 'clip.retried', clipId }, 'a clip that was refused is tried again');
      return true;
    },
    accepted(clipId) {
      if (clipId === tried.clipId) tried = { clipId: '', nextMs: 0 };
    },
  };
}
