import type { Telemetry, TelemetryData, TelemetryEvent } from '@dachawatch/contracts';
import type { clockQuality as systemClockQuality } from '../../kernel/clock-quality.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { type Log, redact } from '../../kernel/log.ts';
import { LAST_MS, nextClipId } from '../clips/clip-id.ts';
import { timeIn } from '../clips/clip-id.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import type { ClipEvent } from '../clips/clip-states.ts';
import { createOutboxDrops, type OutboxBounds } from './outbox-drops.ts';

/** A month without a link, with four cameras and a hundred clips a day, does not fill it (docs/telemetry.md). */
export const OUTBOX_ROWS_MAX = 10_000;
export const OUTBOX_BYTES_MAX = 8 * 1024 * 1024;
/** IoT Hub takes 256 KB; nothing that we tell is nearly as long. */
const EVENT_BYTES_MAX = 64 * 1024;
/** Of an error's own words in an event. */
const TEXT_MAX = 1_000;

/** What goes first when the outbox is full; the oldest first within one rank. The rank is stored with the event. */
const RANK: Readonly<Record<TelemetryEvent, number>> = {
  heartbeat: 0,
  'trigger.suppressed': 1,
  'clip.sealed': 2,
  'clip.uploaded': 2,
  'camera.state': 2,
  'link.state': 2,
  'storage.state': 2,
  'condition.state': 2,
  'recording.refused': 3,
  'clip.lost': 3,
  'power.state': 3,
};

export type { OutboxBounds };

/** An event as the hub is to get it. */
export interface OutgoingEvent {
  /** Clip id layout: grows in the order of telling. */
  readonly eventId: string;
  readonly event: TelemetryEvent;
  /** JSON of the contract `Telemetry`. */
  readonly body: string;
}

export interface OutgoingEvents {
  /** Stores an event to be sent; it survives a power cut. When too many wait, the least important and oldest go.
   *  What becomes of a clip (`clip.*`) is told by the ledger itself, with the move of its row.
   *  @throws Failure `exhausted` when the disk is full */
  readonly tell: <E extends TelemetryEvent>(event: E, data: TelemetryData<E>) => void;
  /** Events not yet acknowledged by the hub, oldest first. */
  readonly outgoing: (limit: number) => OutgoingEvent[];
  /** The hub has it. An id that is not waiting any more changes nothing. */
  readonly settleOutgoing: (eventId: string) => void;
}

export interface Outbox extends OutgoingEvents {
  /** Tells what a move of a clip means for others, if anything. Must be called inside the move's transaction. */
  readonly moved: (event: ClipEvent, row: ClipRow) => void;
  readonly count: () => number;
  /** Events that had to go unsent, since the ledger was made. */
  readonly dropped: () => number;
  /** Takes an event out that cannot be sent. It counts as dropped. Must not be called inside a transaction. */
  readonly discard: (eventId: string) => void;
  /** Wakes the sender and reports dropped events. Must be called outside transactions, after what may have told. */
  readonly announce: () => void;
}

export interface OutboxDeps {
  readonly db: Database;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly log: Log;
  readonly clockQuality: typeof systemClockQuality;
  readonly random: ((bytes: number) => Uint8Array) | undefined;
  readonly onEvent: () => void;
  readonly bounds: OutboxBounds;
}

/** Telemetry that waits for the hub.
 *  Invariants
 *  1. An event about a clip is written in the transaction that moves its row: both are on disk, or neither is.
 *  2. Event ids grow in the order of telling, whatever the clock does, and are never given twice.
 *  3. Rows and bytes are bounded. What had to go is counted on disk, in the transaction that removed it.
 *  4. Nothing secret is stored: every text goes through the log's redaction. */
export function createOutbox(deps: OutboxDeps): Outbox {
  const { db, clock, log, random, bounds } = deps;
  const selectLast = db.prepare<[], string>('SELECT event_id FROM outbox_last').pluck();
  const replaceLast = db.prepare('INSERT OR REPLACE INTO outbox_last (only_one, event_id) VALUES (1, ?)');
  const insert = db.prepare('INSERT INTO outbox (event_id, event, rank, bytes, body) VALUES (?, ?, ?, ?, ?)');
  const oldest = prepareRows<[number], { event_id: string; event: TelemetryEvent; body: string }>(
    db,
    'outbox',
    'SELECT * FROM outbox ORDER BY event_id LIMIT ?',
  );
  const remove = db.prepare('DELETE FROM outbox WHERE event_id = ?');
  const drops = createOutboxDrops(db, bounds, log);

  /** What is on disk and was announced. */
  let announcedId = selectLast.get();
  /** Something may have changed since the last announcement. */
  let touched = false;

  function write<E extends TelemetryEvent>(event: E, data: TelemetryData<E>): void {
    touched = true;
    const last = selectLast.get();
    const nowMs = Math.min(Math.max(0, clock.nowMs()), LAST_MS);
    const eventId = nextClipId({ last, nowMs, ...(random ? { random } : {}) });
    const message: Telemetry = {
      schema: 'dachawatch/telemetry/1',
      eventId,
      event,
      deviceTimeUtc: new Date(nowMs).toISOString(),
      monotonicMs: Math.round(clock.monotonicMs()),
      clockQuality: deps.clockQuality(nowMs),
      data,
    };
    const body = JSON.stringify(message, (_, value: unknown) =>
      typeof value === 'string' ? redact(value) : value,
    );
    const bytes = Buffer.byteLength(body);
    if (bytes > EVENT_BYTES_MAX)
      throw new Failure(
        'rejected',
        'outbox.too-large',
        `an event "${event}" of ${bytes} bytes is too large, the limit is ${EVENT_BYTES_MAX}`,
      );
    insert.run(eventId, event, RANK[event], bytes, body);
    replaceLast.run(eventId);
    drops.keepWithinBounds();
  }

  return {
    tell: (event, data) => db.transaction(() => write(event, data)).immediate(),
    outgoing: (limit) =>
      oldest
        .all(Math.max(0, Math.floor(limit)))
        .map(({ event_id, event, body }) => ({ eventId: event_id, event, body })),
    settleOutgoing(eventId) {
      if (remove.run(eventId).changes > 0) touched = true;
    },

    moved(event, row) {
      const clip = { clipId: row.clip_id, cameraId: row.camera_id };
      // Told as lost before: it is evidence again.
      if (event === 'seal' || event === 'restore')
        write('clip.sealed', {
          ...clip,
          triggeredUtc: new Date(timeIn(row.triggered_ms)).toISOString(),
          durationMs: Math.max(0, row.duration_ms ?? 0),
          bytes: row.bytes ?? 0,
        });
      else if (event === 'upload')
        write('clip.uploaded', { ...clip, blobUrl: row.blob_url ?? '', attempt: row.attempt });
      else if (event === 'lose')
        write('clip.lost', { ...clip, reason: (row.reason ?? '').slice(0, TEXT_MAX) });
    },

    count: () => drops.size().rows,
    dropped: () => drops.ever(),
    discard(eventId) {
      db.transaction(() => {
        if (remove.run(eventId).changes > 0) drops.count();
      }).immediate();
      touched = true;
    },

    announce() {
      if (!touched) return;
      touched = false;
      drops.report();
      // Read back: a transaction that was taken back has told nothing.
      const last = selectLast.get();
      if (last === announcedId) return;
      announcedId = last;
      deps.onEvent();
    },
  };
}
