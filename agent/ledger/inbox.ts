import { createHash } from 'node:crypto';
import { ContractError, parse, Verdict } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import type { ClipRows } from './clip-rows.ts';
import type { Database } from './database.ts';
import type { Ledger } from './ledger.ts';
import { mayHappen } from './life-cycle.ts';

/** IoT Hub's own limit is 64 KB. */
const BODY_MAX_BYTES = 256 * 1024;
const UNREAD_MAX = 10_000;
/** Read messages kept, to know a late duplicate. */
const READ_KEPT = 10_000;
const BATCH = 200;

export type Inbox = Pick<Ledger, 'storeMessage' | 'drainInbox' | 'applyVerdict'>;

export interface InboxDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

interface InboxRow {
  readonly seq: number;
  readonly message_id: string;
  readonly body: Buffer;
}

/** Cloud messages, stored before they are acknowledged, and what they say.
 *  Invariants
 *  1. When `storeMessage` returns, the message is on disk. The same message again changes nothing.
 *  2. A message id that comes with other bytes is kept beside the first, refused.
 *  3. A message is read once, in the transaction that applies it; one that cannot be applied keeps the reason. */
export function createInbox({ db, rows, clock, log }: InboxDeps): Inbox {
  const insert = db.prepare(
    `INSERT OR IGNORE INTO inbox (message_id, body_sha256, received_ms, body, outcome, reason)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const known = db.prepare<[string], { body_sha256: string }>(
    'SELECT body_sha256 FROM inbox WHERE message_id = ?',
  );
  const unreadCount = db.prepare<[], number>("SELECT value FROM facts WHERE name = 'inbox_unread'").pluck();
  const unread = db.prepare<[number], InboxRow>(
    "SELECT seq, message_id, body FROM inbox WHERE outcome = 'unread' ORDER BY seq LIMIT ?",
  );
  const settle = db.prepare('UPDATE inbox SET outcome = ?, reason = ? WHERE seq = ?');
  const forgetOld = db.prepare(
    `DELETE FROM inbox WHERE outcome <> 'unread' AND seq <= (SELECT max(seq) FROM inbox) - ${READ_KEPT}`,
  );

  function judge(verdict: Verdict): ReturnType<Ledger['applyVerdict']> {
    const row = rows.get(verdict.clip_id);
    // Of a clip of long ago nothing changes any more.
    if (!row) return rows.folded(verdict.clip_id) ? 'already-known' : 'unknown-clip';
    if (row.verdict_revision >= verdict.revision || !mayHappen(row.state, 'judge')) return 'already-known';
    const detail = `${verdict.verdict}, ${verdict.decision}, revision ${verdict.revision}`;
    rows.move(verdict.clip_id, 'judge', detail, {
      verdict: JSON.stringify(verdict),
      verdict_revision: verdict.revision,
      judged_ms: Math.round(clock.nowMs()),
    });
    return 'applied';
  }

  /** @returns why the message was refused, or what became of it */
  function read(row: InboxRow): { outcome: 'applied' | 'already-known' | 'refused'; reason: string | null } {
    const refused = (reason: string) => ({ outcome: 'refused', reason }) as const;
    let verdict: Verdict;
    try {
      verdict = parse(Verdict, JSON.parse(row.body.toString('utf8')));
    } catch (error) {
      if (error instanceof ContractError) return refused(error.message);
      if (error instanceof SyntaxError) return refused('the message is not JSON');
      throw error;
    }
    const outcome = judge(verdict);
    return outcome === 'unknown-clip'
      ? refused(`there is no clip ${verdict.clip_id} in the ledger`)
      : { outcome, reason: null };
  }

  return {
    storeMessage({ messageId, receivedMs, body }) {
      if (body.byteLength > BODY_MAX_BYTES)
        throw new Failure(
          'rejected',
          'inbox.too-large',
          `a cloud message of ${body.byteLength} bytes is too large`,
        );
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      // A message without an id is known by its bytes.
      const id = messageId === '' ? `sha256:${sha256}` : messageId;
      db.transaction(() => {
        const earlier = known.all(id);
        if (earlier.some((row) => row.body_sha256 === sha256)) return;
        if ((unreadCount.get() ?? 0) >= UNREAD_MAX)
          throw new Failure('exhausted', 'inbox.full', `${UNREAD_MAX} cloud messages wait to be read`);
        const conflict = earlier.length > 0;
        insert.run(
          id,
          sha256,
          Math.round(receivedMs),
          bytes,
          conflict ? 'refused' : 'unread',
          conflict ? 'this message id came before with other bytes' : null,
        );
        if (conflict)
          log.warn(
            { event: 'inbox.conflict', messageId: id },
            'a cloud message came again with other bytes; the first one counts',
          );
      }).immediate();
    },

    drainInbox() {
      let applied = 0;
      let refused = 0;
      for (let batch = unread.all(BATCH); batch.length > 0; batch = unread.all(BATCH))
        for (const row of batch) {
          const { outcome, reason } = db
            .transaction(() => {
              const result = read(row);
              settle.run(result.outcome, result.reason, row.seq);
              return result;
            })
            .immediate();
          if (outcome === 'applied') applied++;
          if (outcome !== 'refused') continue;
          refused++;
          log.warn(
            { event: 'inbox.refused', messageId: row.message_id, reason },
            'cloud message refused and kept',
          );
        }
      if (applied + refused > 0) forgetOld.run();
      return { applied, refused };
    },

    applyVerdict: (verdict) => db.transaction(() => judge(verdict)).immediate(),
  };
}
