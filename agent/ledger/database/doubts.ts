import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { ROW_DAMAGED } from './row-checksum.ts';

/** What SQLite says when its files are not what they were when it opened them. To open it again looks them over. */
const OPEN_AGAIN = /\.sqlite_(?:corrupt|notadb|ioerr(?!_shm)|readonly|cantopen|protocol)/;
/** A row is gone, or is in a state in which nobody can have brought it. */
const IMPOSSIBLE_ROW = new Set(['ledger.unknown-clip', 'ledger.move']);
/** The backup found damage, perhaps in pages that nobody had asked for. */
export const BACKUP_NOT_WHOLE = 'ledger.backup';

/** The same doubt again within this time, though the database was found whole, is a mistake of the program. */
const DOUBT_AGAIN_MS = 60 * 60_000;

export interface Doubts {
  /** @returns why the ledger must be closed and looked over, when a call that failed so says that; else undefined */
  about(error: unknown): Failure | undefined;
}

/** Tells failures of the database from those of a call.
 *  What SQLite calls an error of the program, like a table that is not there, is a damaged database as well as a bug:
 *  only a look at the database tells which. So the process does not end for it, but only when it comes again after
 *  the database was found whole. */
export function createDoubts({ clock }: { readonly clock: Pick<Clock, 'monotonicMs'> }): Doubts {
  /** Monotonic time of the last doubt of a code: there are as many as the ledger has calls and SQLite has errors. */
  const doubted = new Map<string, number>();

  return {
    about(error) {
      const failure = classify(error, 'ledger');
      const { kind, code, message } = failure;
      if (code === 'ledger.in-use' || code === ROW_DAMAGED || OPEN_AGAIN.test(code)) return failure;
      const isDoubtful =
        (kind === 'bug' && (code.includes('.sqlite_') || IMPOSSIBLE_ROW.has(code))) ||
        code === BACKUP_NOT_WHOLE;
      if (!isDoubtful) return undefined;
      const nowMs = clock.monotonicMs();
      const lastMs = doubted.get(code);
      if (lastMs !== undefined && nowMs - lastMs < DOUBT_AGAIN_MS) return undefined;
      doubted.set(code, nowMs);
      return new Failure(
        'transient',
        'ledger.doubtful',
        `it may be damaged, and is looked over: ${message}`,
        {
          cause: error,
        },
      );
    },
  };
}
