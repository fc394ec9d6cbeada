import type { BlobChange, ChangeCursor } from '../storage/blob-changes.ts';
import type { BlobCreatedEvent, SeenBlob } from './blob-event.ts';
import { openEventDatabase } from './event-database.ts';

const DEAD_MAX = 10_000;

export interface PendingEvent {
  readonly seq: number;
  readonly event: BlobCreatedEvent;
  readonly attempts: number;
  readonly createdMs: number;
}

export interface TakenChange {
  readonly kind: BlobChange['kind'];
  readonly name: string;
  readonly etag: string;
  readonly event?: BlobCreatedEvent;
}

/** What the bridge remembers, in SQLite.
 *
 *  Invariants
 *  1. A blob counts as seen, and a change as taken, in the transaction that stores its event: a kill loses none.
 *  2. An event leaves only when it was delivered, or into `dead` with the reason. */
export function openEventStore(dataDir: string) {
  const db = openEventDatabase(dataDir);
  interface Row {
    readonly seq: number;
    readonly event: string;
    readonly attempts: number;
    readonly created_ms: number;
  }
  const sql = {
    etag: db.prepare<[string], { etag: string }>('SELECT etag FROM blobs WHERE name = ?'),
    see: db.prepare('INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)'),
    mark: db.prepare('UPDATE blobs SET scan = ? WHERE name = ?'),
    forget: db.prepare('DELETE FROM blobs WHERE scan < ?'),
    describe: db.prepare('UPDATE blobs SET etag = ? WHERE name = ?'),
    gone: db.prepare('DELETE FROM blobs WHERE name = ?'),
    cursor: db.prepare<[string], ChangeCursor>('SELECT feed, seq FROM cursors WHERE container = ?'),
    setCursor: db.prepare('INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)'),
    lastScan: db.prepare<[], { scan: number | null }>('SELECT max(scan) AS scan FROM blobs'),
    add: db.prepare('INSERT INTO events (event, attempts, due_ms, created_ms) VALUES (?, 0, @nowMs, @nowMs)'),
    due: db.prepare<[number, number], Row>(
      'SELECT * FROM events WHERE due_ms <= ? ORDER BY due_ms, seq LIMIT ?',
    ),
    retry: db.prepare('UPDATE events SET attempts = attempts + 1, due_ms = ? WHERE seq = ?'),
    done: db.prepare('DELETE FROM events WHERE seq = ?'),
    bury: db.prepare('INSERT INTO dead SELECT seq, event, ?, attempts + 1, ? FROM events WHERE seq = ?'),
    trim: db.prepare('DELETE FROM dead WHERE seq <= (SELECT max(seq) FROM dead) - ?'),
    dead: db.prepare<[], { event: string; reason: string; attempts: number }>(
      'SELECT event, reason, attempts FROM dead ORDER BY seq',
    ),
    waiting: db.prepare<[], { n: number }>('SELECT count(*) AS n FROM events'),
    lastSeq: db.prepare<[], { seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`),
  };

  let lastScan = sql.lastScan.get()?.scan ?? 0;

  return {
    isNew: (blob: SeenBlob) => sql.etag.get(blob.name)?.etag !== blob.etag,
    nextSequence: () => (sql.lastSeq.get()?.seq ?? 0) + 1,
    nextScan: () => ++lastScan,
    /** The last change of a container that was taken; undefined: none yet. */
    cursor: (container: string) => sql.cursor.get(container),
    setCursor: (container: string, { feed, seq }: ChangeCursor) => sql.setCursor.run(container, feed, seq),
    /** What storage said that happened, and where it stands now. `created` stores an event. */
    take: db.transaction(
      (container: string, { feed, seq }: ChangeCursor, changes: readonly TakenChange[], nowMs: number) => {
        for (const { kind, name, etag, event } of changes)
          if (kind === 'deleted') sql.gone.run(name);
          else if (kind === 'changed') sql.describe.run(etag, name);
          else if (event !== undefined) {
            sql.see.run(name, etag, lastScan);
            sql.add.run(JSON.stringify(event), { nowMs });
          }
        sql.setCursor.run(container, feed, seq);
      },
    ),
    /** The blobs of one page of a listing; those with an event are new. */
    store: db.transaction(
      (scan: number, page: readonly { blob: SeenBlob; event?: BlobCreatedEvent }[], nowMs: number) => {
        for (const { blob, event } of page) {
          if (event === undefined) {
            sql.mark.run(scan, blob.name);
            continue;
          }
          sql.see.run(blob.name, blob.etag, scan);
          sql.add.run(JSON.stringify(event), { nowMs });
        }
      },
    ),
    /** A listing is complete: blobs it did not show are gone. */
    endScan: (scan: number) => sql.forget.run(scan),
    due: (nowMs: number, limit: number): PendingEvent[] =>
      sql.due.all(nowMs, limit).map((row) => ({
        seq: row.seq,
        event: JSON.parse(row.event) as BlobCreatedEvent,
        attempts: row.attempts,
        createdMs: row.created_ms,
      })),
    delivered: (event: PendingEvent) => sql.done.run(event.seq),
    retryAt: (event: PendingEvent, atMs: number) => sql.retry.run(atMs, event.seq),
    bury: db.transaction((event: PendingEvent, reason: string, nowMs: number) => {
      sql.bury.run(reason, nowMs, event.seq);
      sql.done.run(event.seq);
      sql.trim.run(DEAD_MAX);
    }),
    dead: () =>
      sql.dead.all().map(({ event, ...rest }) => ({ ...rest, event: JSON.parse(event) as BlobCreatedEvent })),
    waiting: () => sql.waiting.get()?.n ?? 0,
    close: () => db.close(),
  };
}

export type EventStore = ReturnType<typeof openEventStore>;
