import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';

/** Of a message that was refused, so much is kept. */
export const REFUSED_MAX_BYTES = 16 * 1024;
/** Read messages kept, to know a late duplicate. */
const READ_KEPT = 10_000;

interface InboxRow {
  readonly seq: number;
  readonly message_id: string;
  readonly body: Buffer;
}

/** The statements `inbox.ts` is made of. */
export function prepareInbox(db: Database) {
  const insert = db.prepare(
    `INSERT INTO inbox (message_id, body_sha256, received_ms, body, outcome, reason)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const known = db.prepare<[string], { body_sha256: string }>(
    'SELECT body_sha256 FROM inbox WHERE message_id = ?',
  );
  const unreadCount = db.prepare<[], number>("SELECT value FROM facts WHERE name = 'inbox_unread'").pluck();
  const unread = db
    .prepare<[number], number>("SELECT seq FROM inbox WHERE outcome = 'unread' ORDER BY seq LIMIT ?")
    .pluck();
  const select = prepareRows<[number], InboxRow>(db, 'inbox', 'SELECT * FROM inbox WHERE seq = ?');
  // What was applied is in the clip's row; of the rest, the beginning shows what it was.
  const settle = db.prepare(
    `UPDATE inbox SET outcome = :outcome, reason = :reason,
       body = CASE :outcome WHEN 'refused' THEN coalesce(substr(body, 1, ${REFUSED_MAX_BYTES}), x'') ELSE x'' END
     WHERE seq = :seq`,
  );
  const forgetOld = db.prepare(
    `DELETE FROM inbox WHERE outcome <> 'unread' AND seq <= (SELECT max(seq) FROM inbox) - ${READ_KEPT}`,
  );
  return { insert, known, unreadCount, unread, select, settle, forgetOld };
}
