import type { ClipRow } from '../clips/clip-rows.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';

/** The statements `leases.ts` is made of. */
export function prepareLeases(db: Database) {
  const expired = prepareRows<[number], ClipRow>(
    db,
    'clips',
    "SELECT * FROM clips WHERE state = 'uploading' AND lease_until <= ?",
  );
  const uploading = prepareRows<[], ClipRow>(db, 'clips', "SELECT * FROM clips WHERE state = 'uploading'");
  // Those that wait for nothing: the index by retry time holds them side by side, in the order of their ids.
  const eligible =
    "FROM clips INDEXED BY clips_by_retry WHERE state = 'sealed' AND retry_at IS NULL ORDER BY clip_id";
  const newest = prepareRows<[], ClipRow>(db, 'clips', `SELECT * ${eligible} DESC LIMIT 1`);
  const oldest = prepareRows<[], ClipRow>(db, 'clips', `SELECT * ${eligible} ASC LIMIT 1`);
  const due = db.prepare<[number], 1>(
    "SELECT 1 FROM clips INDEXED BY clips_by_retry WHERE state = 'sealed' AND retry_at <= ? LIMIT 1",
  );
  const endWaits = db.prepare<[number]>(
    "UPDATE clips INDEXED BY clips_by_retry SET retry_at = NULL WHERE state = 'sealed' AND retry_at <= ?",
  );
  const firstRetry = db
    .prepare<[], number>(
      `SELECT coalesce(retry_at, 0) FROM clips INDEXED BY clips_by_retry
       WHERE state = 'sealed' ORDER BY retry_at LIMIT 1`,
    )
    .pluck();
  const firstExpiry = db
    .prepare<[], number | null>("SELECT min(lease_until) FROM clips WHERE state = 'uploading'")
    .pluck();
  const countLease = db
    .prepare<[], number>(
      `INSERT INTO facts (name, value) VALUES ('leases', 1)
       ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`,
    )
    .pluck();
  const voidWaits = db.prepare(
    "UPDATE clips SET retry_at = NULL WHERE state = 'sealed' AND retry_at IS NOT NULL",
  );
  return {
    expired,
    uploading,
    newest,
    oldest,
    due,
    endWaits,
    firstRetry,
    firstExpiry,
    countLease,
    voidWaits,
  };
}
