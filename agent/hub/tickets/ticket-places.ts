import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { OpenTickets } from './open-tickets.ts';

/** A device may hold ten; two are left for tickets whose answer was lost. */
const OPEN_LIMIT = 8;
/** The hub forgets a ticket after this. */
const TICKET_LIFE_MS = 3_600_000;

export interface TicketPlaces {
  /** Before the hub is asked for a ticket.
   *  @throws Failure transient `hub.ticket.busy` when too many are open */
  take(): symbol;
  /** The hub has answered, or will not. */
  leave(place: symbol): void;
  /** A ticket is open, until it is given back or the hub forgets it. */
  hold(correlationId: string): void;
  forget(correlationId: string): void;
}

/** Counts the tickets that are open, those that are being asked for among them. */
export function createTicketPlaces({
  clock,
  kept,
}: {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly kept: Pick<OpenTickets, 'add' | 'remove'>;
}): TicketPlaces {
  /** Correlation id, or a placeholder while the hub is asked, to the time it stops counting. */
  const open = new Map<string | symbol, number>();

  function forget(correlationId: string): void {
    open.delete(correlationId);
    kept.remove(correlationId);
  }

  return {
    take: () => {
      const now = clock.monotonicMs();
      for (const [id, untilMs] of open) if (untilMs <= now && typeof id === 'string') forget(id);
      if (open.size >= OPEN_LIMIT)
        throw new Failure('transient', 'hub.ticket.busy', `${OPEN_LIMIT} upload tickets are open already`);
      const place = Symbol('ticket');
      open.set(place, Number.POSITIVE_INFINITY);
      return place;
    },
    leave: (place) => void open.delete(place),
    hold: (correlationId) => {
      open.set(correlationId, clock.monotonicMs() + TICKET_LIFE_MS);
      kept.add(correlationId);
    },
    forget,
  };
}
