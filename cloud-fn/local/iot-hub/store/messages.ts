import type { Db } from './database.ts';
import type { Ack, Feedback, Outcome } from './feedback.ts';

export const QUEUE_LIMIT = 50;
export const DELIVERY_LIMIT = 10;
export const DEFAULT_TTL_MS = 3_600_000;
export const MAX_TTL_MS = 2 * 86_400_000;
export const BODY_LIMIT_BYTES = 64 * 1024;

/** A message on its way from the cloud to a device. */
export interface QueuedMessage {
  readonly sequence: number;
  readonly deviceId: string;
  /** In the order they stand in the topic: system properties as `$.mid`, then the sender's own. */
  readonly properties: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export interface NewMessage {
  readonly deviceId: string;
  readonly properties: QueuedMessage['properties'];
  readonly body: Uint8Array;
  readonly ack: Ack;
  readonly messageId: string | null;
  /** Unix milliseconds; null for the hub's default of one hour. */
  readonly expiresMs: number | null;
}

interface Row {
  sequence: number;
  deviceId: string;
  properties: string;
  body: Buffer;
  ack: Ack;
  messageId: string | null;
  deliveryCount: number;
}

export interface Messages {
  /** @returns false when the device already has fifty waiting */
  enqueue(message: NewMessage): boolean;
  /** Oldest first. */
  waiting(deviceId: string): QueuedMessage[];
  /** Counts one delivery. False when the message is gone or was delivered too often, and now is given up. */
  countDelivery(sequence: number): boolean;
  /** The device said it has it. */
  complete(sequence: number): void;
  /** Removes everything that waits for a device. */
  purge(deviceId: string): number;
  /** Gives up what outlived its time. */
  expire(): void;
}

/** Cloud-to-device queues. A message leaves only as delivered, expired, given up or purged, and its sender is
 *  told when it asked for that. */
export function createMessages({
  db,
  feedback,
  nowMs,
}: {
  db: Db;
  feedback: Pick<Feedback, 'note'>;
  nowMs: () => number;
}): Messages {
  const columns = `sequence, device_id AS deviceId, properties, body, ack, message_id AS messageId,
    delivery_count AS deliveryCount`;
  const count = db.prepare<[string], number>('SELECT count(*) FROM messages WHERE device_id = ?').pluck();
  const insert = db.prepare(`INSERT INTO messages (device_id, properties, body, ack, message_id, expires_ms)
    VALUES (?, ?, ?, ?, ?, ?)`);
  const ofDevice = db.prepare<[string], Row>(
    `SELECT ${columns} FROM messages WHERE device_id = ? ORDER BY sequence`,
  );
  const bySequence = db.prepare<[number], Row>(`SELECT ${columns} FROM messages WHERE sequence = ?`);
  const expired = db.prepare<[number], Row>(`SELECT ${columns} FROM messages WHERE expires_ms <= ?`);
  const countUp = db.prepare('UPDATE messages SET delivery_count = delivery_count + 1 WHERE sequence = ?');
  const remove = db.prepare('DELETE FROM messages WHERE sequence = ?');

  function settle(row: Row, outcome: Outcome): void {
    remove.run(row.sequence);
    feedback.note(row, outcome);
  }

  const expire = db.transaction(() => {
    for (const row of expired.all(nowMs())) settle(row, 'Expired');
  });

  return {
    expire,
    enqueue: db.transaction((message: NewMessage) => {
      expire();
      if ((count.get(message.deviceId) ?? 0) >= QUEUE_LIMIT) return false;
      const now = nowMs();
      const expiresMs = Math.min(message.expiresMs ?? now + DEFAULT_TTL_MS, now + MAX_TTL_MS);
      const properties = JSON.stringify(message.properties);
      insert.run(message.deviceId, properties, message.body, message.ack, message.messageId, expiresMs);
      return true;
    }),
    waiting: (deviceId) => {
      expire();
      return ofDevice.all(deviceId).map((row) => ({
        sequence: row.sequence,
        deviceId,
        properties: JSON.parse(row.properties) as QueuedMessage['properties'],
        body: row.body,
      }));
    },
    countDelivery: db.transaction((sequence: number) => {
      const row = bySequence.get(sequence);
      if (!row) return false;
      if (row.deliveryCount >= DELIVERY_LIMIT) {
        settle(row, 'DeliveryCountExceeded');
        return false;
      }
      countUp.run(sequence);
      return true;
    }),
    complete: db.transaction((sequence: number) => {
      const row = bySequence.get(sequence);
      if (row) settle(row, 'Success');
    }),
    purge: db.transaction((deviceId: string) => {
      const rows = ofDevice.all(deviceId);
      for (const row of rows) settle(row, 'Purged');
      return rows.length;
    }),
  };
}
