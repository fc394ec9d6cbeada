import type { Db } from './database.ts';
import type { Devices } from './devices.ts';

/** Feedback nobody fetches is dropped from the oldest beyond this. */
const FEEDBACK_LIMIT = 1000;

export type Ack = 'none' | 'positive' | 'negative' | 'full';
export type Outcome = 'Success' | 'Expired' | 'DeliveryCountExceeded' | 'Purged';

/** What became of a message, in the words of the service's feedback receiver. */
export interface FeedbackRecord {
  readonly originalMessageId: string;
  readonly description: Outcome;
  readonly deviceGenerationId: string;
  readonly deviceId: string;
  readonly enqueuedTimeUtc: string;
  readonly statusCode: Outcome;
}

export interface FeedbackDeps {
  readonly db: Db;
  readonly devices: Pick<Devices, 'get'>;
  readonly nowMs: () => number;
  /** A record was written. */
  readonly onFeedback: () => void;
}

/** What senders are told of their messages, until the service has fetched it. */
export interface Feedback {
  /** Writes a record when the sender asked for one. */
  note(message: { deviceId: string; ack: Ack; messageId: string | null }, outcome: Outcome): void;
  /** Oldest first. */
  waiting(limit: number): { sequence: number; record: FeedbackRecord }[];
  drop(sequences: readonly number[]): void;
}

export function createFeedback({ db, devices, nowMs, onFeedback }: FeedbackDeps): Feedback {
  const insert = db.prepare('INSERT INTO feedback (record) VALUES (?)');
  const trim = db.prepare('DELETE FROM feedback WHERE sequence <= (SELECT max(sequence) FROM feedback) - ?');
  const oldest = db.prepare<[number], { sequence: number; record: string }>(
    'SELECT sequence, record FROM feedback ORDER BY sequence LIMIT ?',
  );
  const remove = db.prepare('DELETE FROM feedback WHERE sequence = ?');
  return {
    note({ deviceId, ack, messageId }, outcome) {
      const wanted = ack === 'full' || ack === (outcome === 'Success' ? 'positive' : 'negative');
      if (!wanted) return;
      const record: FeedbackRecord = {
        originalMessageId: messageId ?? '',
        description: outcome,
        deviceGenerationId: devices.get(deviceId)?.generationId ?? '',
        deviceId,
        enqueuedTimeUtc: new Date(nowMs()).toISOString(),
        statusCode: outcome,
      };
      insert.run(JSON.stringify(record));
      trim.run(FEEDBACK_LIMIT);
      onFeedback();
    },
    waiting: (limit) =>
      oldest
        .all(limit)
        .map(({ sequence, record }) => ({ sequence, record: JSON.parse(record) as FeedbackRecord })),
    drop: db.transaction((sequences: readonly number[]) => {
      for (const sequence of sequences) remove.run(sequence);
    }),
  };
}
