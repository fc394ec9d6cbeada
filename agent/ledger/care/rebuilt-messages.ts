import { createHash } from 'node:crypto';
import { isOwnClipId } from '../clips/clip-id.ts';
import type { Database } from '../database/database.ts';
import { BACKED_UP } from '../disk/gone-lines.ts';
import { inserter } from './inserter.ts';
import { isState } from './restored-row.ts';
import { isAsWritten, type Row, type Salvage } from './salvage.ts';

/** Cloud messages, events for the hub, and the counters that mean something beyond this database.
 *  @returns how many were left out because they are not what was written */
export function takeMessages(db: Database, damaged: readonly Salvage[], backup: Salvage | undefined): number {
  let left = 0;
  const insertMessage = inserter(db, 'inbox');
  const insertEvent = inserter(db, 'outbox');
  const insertFact = inserter(db, 'facts');
  let last = '';
  const given = (id: unknown) => {
    if (typeof id === 'string' && isOwnClipId(id) && id > last) last = id;
  };
  for (const source of backup ? [...damaged, backup] : damaged) {
    for (const row of source.rows('inbox', 'seq')) {
      const { body, body_sha256, outcome } = row;
      const isWhole =
        body instanceof Uint8Array && createHash('sha256').update(body).digest('hex') === body_sha256;
      // To read a message again changes nothing. Of one that was read, only that it was is gone.
      if (isWhole)
        insertMessage(isAsWritten('inbox', row) ? row : { ...row, outcome: 'unread', reason: null });
      else if (outcome === 'unread') left += 1;
    }
    // Lines of custody get other numbers.
    for (const row of source.rows('facts', 'name'))
      if (Number.isSafeInteger(row['value']) && row['name'] !== BACKED_UP) insertFact(row);
    for (const row of source.rows('outbox_last', 'only_one')) given(row['event_id']);
  }
  // What only the backup has may have been sent since.
  for (const source of damaged)
    for (const row of source.rows('outbox', 'event_id'))
      if (isEvent(row) && isAsWritten('outbox', row)) {
        insertEvent(row);
        given(row['event_id']);
      } else left += 1;
  if (last !== '')
    db.prepare('INSERT OR REPLACE INTO outbox_last (only_one, event_id) VALUES (1, ?)').run(last);
  return left;
}

/** Totals of clips of long ago.
 *  @returns the ids that are counted in them */
export function takeFolded(
  db: Database,
  damaged: readonly Salvage[],
  backup: Salvage | undefined,
): Set<string> {
  const insertTotal = inserter(db, 'folded');
  const insertClip = inserter(db, 'folded_clips');
  const ids = new Set<string>();
  for (const source of backup ? [...damaged, backup] : damaged) {
    for (const row of source.rows('folded_clips', 'clip_id'))
      if (
        isAsWritten('folded_clips', row) &&
        isOwnClipId(String(row['clip_id'])) &&
        isState(row['state']) &&
        insertClip(row)
      )
        ids.add(String(row['clip_id']));
    for (const row of source.scan('folded'))
      if (
        isAsWritten('folded', row) &&
        Number.isSafeInteger(row['clips']) &&
        /^\d{4}-\d\d-\d\d$/.test(String(row['day']))
      )
        insertTotal(row);
  }
  return ids;
}

/** Whether the row holds an event as it was told. */
function isEvent({ event_id, event, body }: Row): boolean {
  if (typeof event_id !== 'string' || !isOwnClipId(event_id) || typeof body !== 'string') return false;
  try {
    const message = JSON.parse(body) as { readonly eventId?: unknown; readonly event?: unknown } | null;
    return message?.eventId === event_id && message.event === event;
  } catch {
    return false;
  }
}
