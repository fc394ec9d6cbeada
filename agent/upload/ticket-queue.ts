import { Failure } from '../kernel/failure.ts';

/** A device may hold ten; some stay free for tickets that nobody could give back. */
const OPEN_MAX = 4;
const QUEUE_MAX = 64;

/** At most four are inside; who comes later waits, in the order of coming. */
export interface TicketQueue {
  /** Resolves when there is room; `leave` must follow.
   *  @throws what the signal was aborted with; Failure `upload.tickets-busy` when too many wait */
  enter(signal: AbortSignal): Promise<void>;
  /** Makes room for the next. */
  leave(): void;
}

export function createTicketQueue(): TicketQueue {
  let open = 0;
  const queue: (() => void)[] = [];
  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (open < OPEN_MAX) {
        open++;
        return;
      }
      if (queue.length >= QUEUE_MAX)
        throw new Failure('transient', 'upload.tickets-busy', `${QUEUE_MAX} requests wait for a ticket`);
      await new Promise<void>((resolve, reject) => {
        const go = () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = () => {
          queue.splice(queue.indexOf(go), 1);
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        queue.push(go);
      });
    },
    leave() {
      const next = queue.shift();
      if (next) next();
      else open--;
    },
  };
}
