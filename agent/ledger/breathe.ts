import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../kernel/failure.ts';

/** Lets the event loop turn between two steps of long work.
 *  @throws Failure `transient` `ledger.closed` when the work must end because the ledger was closed meanwhile */
export type Breathe = () => Promise<void>;

export function createBreathe(isClosed: () => boolean): Breathe {
  return async () => {
    await nextTurn();
    if (isClosed()) throw new Failure('transient', 'ledger.closed', 'the ledger was closed meanwhile');
  };
}
