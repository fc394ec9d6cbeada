import { classify } from '../../kernel/classify.ts';
import type { Log } from '../../kernel/log.ts';

export interface WriteQueue {
  /** Does it behind what waits; does nothing when too much waits. What goes wrong is logged.
   *  @param what goes wrong then, for the log */
  add(what: string, work: () => Promise<void>): void;
  isFull(): boolean;
  /** When everything added so far is done or given up. */
  settled(): Promise<void>;
  /** Logs what went wrong.
   *  @throws what is a bug */
  complain(what: string, error: unknown): void;
}

/** Waiting writes; more come only from a disk that does not answer. */
const MAX_QUEUED = 16;

/** One write after the other. */
export function createWriteQueue(log: Log): WriteQueue {
  let queue: Promise<void> = Promise.resolve();
  let queued = 0;

  function complain(what: string, error: unknown): void {
    const { kind, code } = classify(error, 'suppressed.store');
    if (kind === 'bug') throw error;
    log.warn({ event: 'suppressed.store', code, err: error }, `why nothing was recorded: ${what}`);
  }

  const isFull = () => queued >= MAX_QUEUED;
  return {
    isFull,
    complain,
    add: (what, work) => {
      if (isFull()) return;
      queued++;
      queue = queue
        .then(work)
        .catch((error: unknown) => complain(what, error))
        .finally(() => queued--);
    },
    settled: () => queue,
  };
}
