import { guarded } from './database/database.ts';
import type { Ownership } from './database/ownership.ts';

export type GuardedCall = ReturnType<typeof createGuardedCall>;

/** Calls of the ledger: only while its folder is ours; errors of SQLite and the system leave it as a `Failure`.
 *  @param afterCommit also when a call failed: room may have been made, and clips given up, before it did */
export const createGuardedCall =
  (ownership: Pick<Ownership, 'confirm'>, afterCommit: () => void) =>
  <A extends unknown[], R>(name: string, work: (...args: A) => R) =>
  (...args: A): R => {
    ownership.confirm();
    try {
      return guarded(`ledger.${name}`, () => work(...args));
    } finally {
      afterCommit();
    }
  };
