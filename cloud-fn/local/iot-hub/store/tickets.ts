import { randomUUID } from 'node:crypto';
import type { Db } from './database.ts';

/** Tickets a device may hold at a time. */
export const TICKET_LIMIT = 10;
/** One that is not given back counts for so long. */
export const TICKET_LIFE_MS = 3_600_000;

export interface Ticket {
  readonly correlationId: string;
  readonly deviceId: string;
  readonly blobName: string;
}

export interface Tickets {
  /** Undefined when the device holds ten that were not given back. */
  open(deviceId: string, blobName: string): Ticket | undefined;
  /** False when the device holds no such ticket. */
  close(deviceId: string, correlationId: string): boolean;
  openCount(deviceId: string): number;
  /** As if their hour were over. */
  forgetAll(): void;
}

export interface TicketsDeps {
  readonly db: Db;
  readonly nowMs: () => number;
}

/** File-upload tickets that were given out and not yet given back. */
export function createTickets({ db, nowMs }: TicketsDeps): Tickets {
  const count = db.prepare<[string], number>('SELECT count(*) FROM tickets WHERE device_id = ?').pluck();
  const insert = db.prepare('INSERT INTO tickets VALUES (?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM tickets WHERE correlation_id = ? AND device_id = ?');
  const removeExpired = db.prepare('DELETE FROM tickets WHERE expires_ms <= ?');
  const openCount = (deviceId: string) => {
    removeExpired.run(nowMs());
    return count.get(deviceId) ?? 0;
  };
  return {
    openCount,
    forgetAll: () => void db.prepare('DELETE FROM tickets').run(),
    open: db.transaction((deviceId: string, blobName: string) => {
      if (openCount(deviceId) >= TICKET_LIMIT) return undefined;
      const ticket = { correlationId: randomUUID(), deviceId, blobName };
      insert.run(ticket.correlationId, deviceId, blobName, nowMs() + TICKET_LIFE_MS);
      return ticket;
    }),
    close: (deviceId, correlationId) => remove.run(correlationId, deviceId).changes > 0,
  };
}
