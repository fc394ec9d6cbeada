import { classify } from '../kernel/classify.ts';
import type { Log } from '../kernel/log.ts';
import type { Notifier } from '../kernel/waiting/notifier.ts';
import { LEDGER_UNAVAILABLE } from '../ledger/ledger.ts';

/** One round of work.
 *  @returns how long to wait before the next, milliseconds */
export type Turn = () => Promise<number>;

export interface TurnsDeps {
  /** Its notices end the wait between two turns. */
  readonly notifier: Pick<Notifier, 'count' | 'wait'>;
  readonly log: Log;
  /** The wait after a turn that threw. */
  readonly idleMs: number;
}

/** Takes turn after turn until `signal` is aborted; what one throws slows them down and is told once.
 *  @param what names the work in the log */
export async function takeTurns(
  what: string,
  turn: Turn,
  { notifier, log, idleMs }: TurnsDeps,
  signal: AbortSignal,
): Promise<void> {
  let said = '';
  while (!signal.aborted) {
    const heard = notifier.count();
    let waitMs = idleMs;
    try {
      waitMs = await turn();
      said = '';
    } catch (error) {
      const failure = classify(error, `upload.${what}`);
      // The ledger tells itself that it is away or being opened; anything else that lasts is told once.
      const isTold = failure.code === LEDGER_UNAVAILABLE || said === failure.code;
      const level = isTold ? 'debug' : 'error';
      said = failure.code;
      log[level]({ event: 'upload.loop-failed', what, code: failure.code, err: failure }, failure.message);
    }
    if (waitMs > 0) await notifier.wait(heard, waitMs, signal);
  }
}
