import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Failure } from '../kernel/failure.ts';
import type { Breathe } from './breathe.ts';
import type { Budget } from './disk/budget.ts';
import { createFileLooks, type Looked } from './file-looks.ts';
import type { ClipsRoot } from './clips/clips-root.ts';
import { isOfDatabase } from './database/database.ts';
import type { DiskReserve } from './disk/disk-reserve.ts';
import type { Folding } from './clips/folding.ts';
import type { Losses } from './clips/losses.ts';
import type { Quarantine } from './disk/quarantine.ts';
import type { Removal } from './disk/removal.ts';
import type { Unsealed } from './clips/unsealed.ts';

export interface TendingDeps {
  readonly root: ClipsRoot;
  readonly budget: Budget;
  readonly reserve: DiskReserve;
  readonly quarantine: Quarantine;
  readonly removal: Pick<Removal, 'finish'>;
  readonly unsealed: Unsealed;
  readonly losses: Pick<Losses, 'expire'>;
  readonly folding: Folding;
  /** Takes what is committed out of the log into the database. */
  readonly emptyLog: () => void;
  /** Compares rows with files, and repairs. */
  readonly look: () => Promise<Looked>;
  readonly breathe: Breathe;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export interface Tending {
  /** One turn. Each part is done whatever becomes of the others.
   *  @throws Failure the first one of a part */
  tend(): Promise<{ sealed: number }>;
  /** Says what a look at all files found, wherever it was asked for. */
  looked(found: Looked): void;
}

/** What the ledger does beside its work: makes room before it is needed, seals what had to wait, fills the reserve,
 *  keeps the quarantine's bound, folds clips of long ago, empties the log, looks for files that are away. */
export function createTending(deps: TendingDeps): Tending {
  const { root, budget, reserve, quarantine, removal, unsealed, losses, folding, breathe } = deps;
  const looks = createFileLooks(deps);

  return {
    looked: (found) => looks.looked(found),
    async tend() {
      let sealed = 0;
      const parts: (() => Promise<void>)[] = [
        async () => removal.finish(),
        async () => losses.expire(),
        async () => {
          root.remember();
          // The disk went, or is back: what is away with it is looked at now.
          looks.noteFolder();
        },
        async () => {
          if (root.away() === undefined) await budget.makeRoomAhead(breathe);
        },
        async () => {
          sealed = await unsealed.retry(breathe);
        },
        () => reserve.restore(breathe),
        () => quarantine.keepBound(breathe),
        async () => {
          // What was lost may lie on the disk that is away.
          if (root.away() === undefined) folding.step();
        },
        // What a damaged log could cost is no older than the last turn.
        async () => deps.emptyLog(),
        () => looks.turn(),
      ];
      let first: Failure | undefined;
      for (const part of parts)
        try {
          await part();
          await breathe();
        } catch (error) {
          const failure = classify(error, 'ledger.tend');
          if (failure.code === 'ledger.closed' || isOfDatabase(failure)) throw failure;
          first ??= failure;
        }
      if (first) throw first;
      return { sealed };
    },
  };
}
