import { classify } from '../../kernel/classify.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import { type Database, isOfDatabase } from '../database/database.ts';

/** Clips looked at before others get their turn. */
export const AT_ONCE = 100;

export interface EachApartDeps {
  readonly db: Pick<Database, 'open'>;
  readonly log: Log;
  readonly breathe: Breathe;
}

/** Work on one clip after the other, of which one that fails keeps no other waiting: its error is logged and told to
 *  `failed`. Ends early when the ledger is closed.
 *  @throws Failure when it is the database that fails */
export const createEachApart =
  ({ db, log, breathe }: EachApartDeps) =>
  async <T>(
    items: Iterable<T>,
    idOf: (item: T) => string,
    work: (item: T) => Promise<void>,
    failed: (item: T, message: string) => void = () => undefined,
  ): Promise<void> => {
    let seen = 0;
    for (const item of items) {
      if (++seen % AT_ONCE === 0) await breathe();
      try {
        await work(item);
      } catch (error) {
        const failure = classify(error, 'ledger.adopt');
        const { code, message } = failure;
        if (!db.open || code === 'ledger.closed') return;
        if (isOfDatabase(failure)) throw failure;
        log.error({ event: 'clip.not-adopted', clipId: idOf(item), code }, message);
        failed(item, message);
      }
    }
  };
