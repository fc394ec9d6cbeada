import type { Log } from '../../kernel/log.ts';
import type { Database } from '../database/database.ts';

/** After an episode of dropping, so much must be free before it counts as over. */
const OVER_AT = 0.9;

export interface OutboxBounds {
  readonly rows: number;
  /** Of the bodies, together. */
  readonly bytes: number;
}

export interface OutboxDrops {
  /** Removes the least important and oldest events beyond the bounds, and counts them. Must be called inside the
   *  transaction that added one. */
  keepWithinBounds(): void;
  /** Counts an event that was taken out unsent. Must be called inside that transaction. */
  count(): void;
  /** Events that went unsent since the ledger was made. */
  ever(): number;
  /** Logs the begin and the end of an episode in which events went unsent. Not inside a transaction. */
  report(): void;
  /** How much waits. */
  size(): { readonly rows: number; readonly bytes: number };
}

/** The outbox's bounds: what has to go, and what is said of it. */
export function createOutboxDrops(db: Database, bounds: OutboxBounds, log: Log): OutboxDrops {
  const remove = db.prepare('DELETE FROM outbox WHERE event_id = ?');
  const selectSize = db.prepare<[], { rows: number; bytes: number }>(
    `SELECT (SELECT value FROM facts WHERE name = 'outbox_events') AS rows,
            (SELECT value FROM facts WHERE name = 'outbox_bytes') AS bytes`,
  );
  const leastWanted = db.prepare<[], { event_id: string; bytes: number }>(
    'SELECT event_id, bytes FROM outbox ORDER BY rank, event_id LIMIT 1',
  );
  const countDropped = db.prepare<[number]>(
    `INSERT INTO facts (name, value) VALUES ('events_dropped', ?)
     ON CONFLICT (name) DO UPDATE SET value = value + excluded.value`,
  );
  const selectDropped = db
    .prepare<[], number>("SELECT value FROM facts WHERE name = 'events_dropped'")
    .pluck();
  const ever = () => selectDropped.get() ?? 0;
  const size = () => selectSize.get() ?? { rows: 0, bytes: 0 };
  let reported = ever();
  /** Drops before the episode that goes on; undefined while nothing has to go. */
  let episodeFrom: number | undefined;

  return {
    keepWithinBounds() {
      let { rows, bytes } = size();
      let gone = 0;
      // Ends: every turn takes a row away, and an empty outbox is within its bounds.
      while (rows > bounds.rows || bytes > bounds.bytes) {
        const victim = leastWanted.get();
        if (!victim) break;
        remove.run(victim.event_id);
        rows -= 1;
        bytes -= victim.bytes;
        gone += 1;
      }
      if (gone > 0) countDropped.run(gone);
    },
    count: () => void countDropped.run(1),
    ever,
    report() {
      const total = ever();
      if (total > reported && episodeFrom === undefined) {
        episodeFrom = reported;
        log.warn(
          { event: 'outbox.full', dropped: total - episodeFrom, droppedEver: total, ...bounds },
          'too many events wait for the hub; the least important and oldest go unsent',
        );
      }
      reported = total;
      if (episodeFrom === undefined) return;
      const { rows, bytes } = size();
      if (rows > bounds.rows * OVER_AT || bytes > bounds.bytes * OVER_AT) return;
      log.info(
        { event: 'outbox.room-again', dropped: total - episodeFrom, droppedEver: total },
        'events wait within bounds again',
      );
      episodeFrom = undefined;
    },
    size,
  };
}
