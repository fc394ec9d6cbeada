import { createHash } from 'node:crypto';
import type { Verdict } from '@dachawatch/contracts';
import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import type { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import { type Database, isOfDatabase } from '../database/database.ts';
import { prepareInbox, REFUSED_MAX_BYTES } from './inbox-sql.ts';
import { CONFLICT, createRefusedMessages } from './refused-messages.ts';
import { createVerdictMessages, type Read, refusedBecause } from './verdict-messages.ts';

/** IoT Hub's own limit. A larger message is no message of the hub's. */
const BODY_MAX_BYTES = 64 * 1024;
const ID_MAX = 256;
const REASON_MAX = 500;
const UNREAD_MAX = 1_000;
/** Read in one go, with one commit. */
const BATCH = 100;

export interface InboxMessage {
  readonly messageId: string;
  readonly receivedMs: number;
  /** The body as it came. */
  readonly body: Uint8Array;
}

export interface Inbox {
  /** Stores a cloud message before it is acknowledged, whatever it is. A message id seen before changes nothing.
   *  @throws Failure when the disk cannot take it */
  readonly storeMessage: (message: InboxMessage) => void;
  /** Reads the oldest hundred of the stored messages that are unread: applies verdicts, refuses the rest with a reason.
   *  @throws Failure `corrupt` when the ledger itself is damaged, and nothing else: a full disk leaves them unread */
  readonly drainInbox: () => { applied: number; refused: number };
  /** Applies a verdict if its revision is newer than the clip's. One about a clip that is still being recorded is none:
   *  nobody has seen it. */
  readonly applyVerdict: (verdict: Verdict) => 'applied' | 'already-known' | 'unknown-clip' | 'too-early';
  /** The verdict document of this clip cannot be used: a line of custody, once for each reason. */
  readonly noteRefusedVerdict: (clipId: string, reason: string) => void;
}

export interface InboxDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly log: Log;
}

/** Cloud messages, stored before they are acknowledged, and what they say.
 *  Invariants
 *  1. When `storeMessage` returns, the message is on disk. The same message again changes nothing.
 *  2. A message id that comes with other bytes is kept beside the first, refused.
 *  3. A message is read once, in the transaction that applies it; one that cannot be applied keeps the reason.
 *  4. Nothing that a message says or is keeps another from being read, or stored: only the disk can. */
// oxlint-disable-next-line max-lines-per-function -- invariants 1 to 3 are about which statements share a transaction: that is seen where storing, reading and setting aside stand together
export function createInbox({ db, rows, conditions, clock, log }: InboxDeps): Inbox {
  const sql = prepareInbox(db);
  const verdicts = createVerdictMessages(rows, clock);
  const refusals = createRefusedMessages(conditions, clock, log);

  /** @returns false when even that cannot be written: it stays unread, and the others go on */
  function setAside(seq: number, result: Read): boolean {
    try {
      sql.settle.run({ ...result, seq });
      return true;
    } catch (error) {
      const failure = classify(error, 'inbox.set-aside');
      if (isNotOfTheMessage(failure)) throw failure;
      log.error({ event: 'inbox.not-set-aside', seq, code: failure.code }, failure.message);
      return false;
    }
  }

  /** Must be called inside a transaction.
   *  @throws Failure when the disk, and not the message, is at fault */
  function readOne(seq: number): readonly ({ readonly messageId: string } & Read)[] {
    let messageId = `number ${seq}`;
    let result: Read;
    try {
      result = db.transaction(() => {
        const row = sql.select.get(seq);
        if (!row) return refusedBecause('it is not there any more');
        messageId = row.message_id;
        const found = verdicts.read(row.body);
        sql.settle.run({ ...found, seq });
        return found;
      })();
    } catch (error) {
      const failure = classify(error, 'inbox.read');
      if (isNotOfTheMessage(failure)) throw failure;
      result = refusedBecause(`it could not be applied: ${failure.message}`);
      if (!setAside(seq, result)) return [];
    }
    return [{ messageId, ...result }];
  }

  /** Too many wait: the oldest is set aside. Its verdict lies in storage, where it is asked for. */
  function setOldestAside(): void {
    const seq = sql.unread.get(1);
    if (seq === undefined) return;
    const { reason } = refusedBecause(`${UNREAD_MAX} messages waited to be read`);
    sql.settle.run({ outcome: 'refused', reason, seq });
    refusals.tell(`number ${seq}`, reason ?? '');
  }

  return {
    storeMessage({ messageId, receivedMs, body }) {
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const id = nameOf(messageId, sha256);
      let refused: string | null = null;
      db.transaction(() => {
        const earlier = sql.known.all(id);
        if (earlier.some((row) => row.body_sha256 === sha256)) return;
        if ((sql.unreadCount.get() ?? 0) >= UNREAD_MAX) setOldestAside();
        refused =
          earlier.length > 0
            ? CONFLICT
            : bytes.length > BODY_MAX_BYTES
              ? `it has ${bytes.length} bytes, more than the hub's own limit of ${BODY_MAX_BYTES}`
              : null;
        const atMs = Number.isFinite(receivedMs) ? receivedMs : clock.nowMs();
        sql.insert.run(
          id,
          sha256,
          Math.round(Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, atMs))),
          refused === null ? bytes : bytes.subarray(0, REFUSED_MAX_BYTES),
          refused === null ? 'unread' : 'refused',
          refused,
        );
      }).immediate();
      if (refused !== null) refusals.tell(id, refused);
    },

    drainInbox() {
      const done = { applied: 0, refused: 0 };
      try {
        const results = db
          .transaction(() => {
            const all = sql.unread.all(BATCH).flatMap(readOne);
            if (all.length > 0) sql.forgetOld.run();
            return all;
          })
          .immediate();
        for (const { outcome, messageId, reason } of results) {
          if (outcome === 'applied') done.applied++;
          if (outcome !== 'refused') continue;
          done.refused++;
          refusals.tell(messageId, reason ?? '');
        }
      } catch (error) {
        const failure = classify(error, 'inbox.drain');
        if (failure.kind === 'corrupt' || isOfDatabase(failure)) throw failure;
        log.error(
          { event: 'inbox.drain-failed', code: failure.code },
          `cloud messages wait to be read: ${failure.message}`,
        );
      }
      refusals.forgetOld();
      return done;
    },

    applyVerdict: (verdict) => db.transaction(() => verdicts.judge(verdict)).immediate(),

    noteRefusedVerdict(clipId, reason) {
      const detail = reason.slice(0, REASON_MAX);
      db.transaction(() => {
        const before = rows.custody(clipId).filter(({ event }) => event === 'verdict-refused');
        if (before.length >= NOTES_MAX || before.some((entry) => entry.detail === detail)) return;
        if (rows.get(clipId)) rows.note(clipId, 'verdict-refused', detail);
      }).immediate();
    },
  };
}

/** Different reasons for which the verdict of one clip was refused. */
const NOTES_MAX = 5;

/** No message is at fault when the disk is full, busy or does not answer, or the ledger is damaged: it stays unread. */
const isNotOfTheMessage = (failure: Failure) =>
  failure.kind === 'exhausted' ||
  isOfDatabase(failure) ||
  /\.sqlite_(busy|ioerr|full|locked|readonly|cantopen|nomem)/.test(failure.code);

/** A message without an id is known by its bytes; of an id that is too long the hash is kept. */
function nameOf(messageId: string, sha256: string): string {
  if (messageId === '') return `sha256:${sha256}`;
  if (messageId.length <= ID_MAX) return messageId;
  return `long:${createHash('sha256').update(messageId).digest('hex')}`;
}
