import type { Db } from './database.ts';

/** Kept at most; the oldest go first. */
export const EVENT_LIMIT = 10_000;
export const EVENT_LIMIT_BYTES = 16 * 1024 * 1024;

/** What happened at the hub, as a watcher reads it. */
export const EVENT_KINDS = ['telemetry', 'reported', 'desired', 'connection'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface HubEvent {
  /** Grows by one with each event and never comes back. */
  readonly sequence: number;
  readonly atMs: number;
  readonly deviceId: string;
  readonly kind: EventKind;
  /** Telemetry: the topic with its property bag. Otherwise empty. */
  readonly topic: string;
  /** Telemetry: as it came. Reported and desired: `{version, patch}`. Connection: `{state}`. */
  readonly body: Buffer;
}

export interface EventQuery {
  /** Those with a larger sequence. */
  readonly after: number;
  readonly limit: number;
  readonly deviceId?: string | undefined;
}

export interface Events {
  record(event: Omit<HubEvent, 'sequence' | 'atMs'>): void;
  /** Oldest first. */
  list(query: EventQuery): HubEvent[];
  /** Sequence of the newest event; 0 when there never was one. */
  newest(): number;
  /** Sequence of the newest event before a moment. */
  newestBefore(atMs: number): number;
  /** Sequence of the oldest event that is kept. */
  oldest(): number;
  /** Devices whose connection no event has ended: those of a hub that was killed. */
  stillConnected(): string[];
  /** Calls `listener` after each event, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** What devices sent and what became of them, for those who watch: a ring in the hub's memory. On Azure an Event
 *  Hubs endpoint is read in its place. */
export function createEvents({
  db,
  nowMs,
  limit = EVENT_LIMIT,
  limitBytes = EVENT_LIMIT_BYTES,
}: {
  db: Db;
  nowMs: () => number;
  limit?: number;
  limitBytes?: number;
}): Events {
  const columns = 'sequence, at_ms AS atMs, device_id AS deviceId, kind, topic, body';
  const insert = db.prepare(
    'INSERT INTO events (at_ms, device_id, kind, topic, body) VALUES (?, ?, ?, ?, ?)',
  );
  const trim = db.prepare<[number], { bytes: number }>(
    'DELETE FROM events WHERE sequence <= ? RETURNING octet_length(topic) + octet_length(body) AS bytes',
  );
  const ofAll = db.prepare<[number, number], HubEvent>(
    `SELECT ${columns} FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?`,
  );
  const ofDevice = db.prepare<[number, string, number], HubEvent>(
    `SELECT ${columns} FROM events WHERE sequence > ? AND device_id = ? ORDER BY sequence LIMIT ?`,
  );
  const number = (sql: string) => db.prepare<[], number | null>(sql).pluck();
  const newest = number("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const oldest = number('SELECT min(sequence) FROM events');
  const before = db
    .prepare<[number], number | null>('SELECT max(sequence) FROM events WHERE at_ms < ?')
    .pluck();
  const lastConnections = db.prepare<[], { deviceId: string; body: Buffer }>(
    `SELECT device_id AS deviceId, body, max(sequence) FROM events WHERE kind = 'connection' GROUP BY device_id`,
  );
  const listeners = new Set<() => void>();
  let bytes = number('SELECT sum(octet_length(topic) + octet_length(body)) FROM events').get() ?? 0;

  const drop = (upTo: number) => {
    for (const gone of trim.all(upTo)) bytes -= gone.bytes;
  };
  const isTooLarge = () => bytes > limitBytes;
  /** False when only the newest is left: it stays, however large, since a device's packet has a limit of its own. */
  const dropOldest = (newest: number) => {
    const first = oldest.get() ?? newest;
    if (first < newest) drop(first);
    return first < newest;
  };
  const add = db.transaction((event: Omit<HubEvent, 'sequence' | 'atMs'>) => {
    const { lastInsertRowid } = insert.run(nowMs(), event.deviceId, event.kind, event.topic, event.body);
    bytes += Buffer.byteLength(event.topic) + event.body.length;
    drop(Number(lastInsertRowid) - limit);
    while (isTooLarge() && dropOldest(Number(lastInsertRowid)));
  });

  return {
    record: (event) => {
      if (!db.open) return; // a connection may end after the hub's memory was closed
      add(event);
      for (const listener of listeners) listener();
    },
    list: ({ after, limit, deviceId }) =>
      deviceId === undefined ? ofAll.all(after, limit) : ofDevice.all(after, deviceId, limit),
    newest: () => newest.get() ?? 0,
    newestBefore: (atMs) => before.get(atMs) ?? (oldest.get() ?? 1) - 1,
    oldest: () => oldest.get() ?? (newest.get() ?? 0) + 1,
    stillConnected: () =>
      lastConnections
        .all()
        .filter(({ body }) => body.includes('"connected"'))
        .map(({ deviceId }) => deviceId),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
