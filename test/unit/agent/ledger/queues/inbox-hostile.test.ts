import assert from 'node:assert/strict';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createConditions } from '../../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { besideLedger, benchLedger, uploadNext, verdictFor } from '../bench.ts';

const DAY_MS = 24 * 3_600_000;

function told(t: Parameters<typeof benchLedger>[0]) {
  const log = createLog('silent', () => undefined);
  const clock = createFakeClock();
  const conditions = createConditions({ clock, log });
  const bench = benchLedger(t, { clock, conditions });
  const stored = (body: string | Buffer, messageId = `m-${Math.abs(hashOf(body))}`) =>
    bench.ledger.storeMessage({ messageId, receivedMs: 1, body: Buffer.from(body) });
  return { ...bench, clock, conditions, stored };
}

const hashOf = (body: string | Buffer) =>
  [...Buffer.from(body).subarray(0, 200)].reduce((sum, byte) => (sum * 31 + byte) | 0, body.length);

/** Every way to be no verdict that somebody has thought of. */
function hostile(clipId: string): Record<string, string | Buffer> {
  const verdict = verdictFor(clipId);
  const json = JSON.stringify(verdict);
  const withField = (field: string, value: string) => json.replace(/}$/, `,"${field}":${value}}`);
  return {
    'revision 1e300': JSON.stringify({ ...verdict, revision: 1e300 }),
    'revision beyond what is exact': json.replace('"revision":1', '"revision":9007199254740993'),
    'revision -1': JSON.stringify({ ...verdict, revision: -1 }),
    'confidence 1e999': json.replace('0.9', '1e999'),
    NaN: json.replace('0.9', 'NaN'),
    '100,000 nested arrays': '['.repeat(100_000) + ']'.repeat(100_000),
    'a field that is nested 30,000 deep': withField('x', '['.repeat(30_000) + ']'.repeat(30_000)),
    'nested and never closed': '{"a":'.repeat(10_000),
    'a clip id twice, the last one wrong': withField('clip_id', '"x"'),
    'null byte': `${json}\0`,
    'no UTF-8': Buffer.from([...Buffer.from(json).subarray(0, 40), 0xff, 0xfe, 0x22, 0x7d]),
    'UTF-16': Buffer.from(json, 'utf16le'),
    'a month 13': JSON.stringify({ ...verdict, decided_utc: '2026-13-01T00:00:00Z' }),
    'a day 32': JSON.stringify({ ...verdict, decided_utc: '2026-12-32T00:00:00Z' }),
    'a zone of 99 hours': JSON.stringify({ ...verdict, decided_utc: '2026-12-01T00:00:00+99:00' }),
    'a reason of 30,000 characters': JSON.stringify({ ...verdict, reason: 'x'.repeat(30_000) }),
    'a label of 30,000 characters': JSON.stringify({ ...verdict, labels: ['x'.repeat(30_000)] }),
    '5,000 labels': JSON.stringify({ ...verdict, labels: Array.from({ length: 5_000 }, () => 'a') }),
    'a number as text': JSON.stringify({ ...verdict, revision: '1' }),
    'only a prototype': '{"__proto__":{"revision":7}}',
    'an array': '[]',
    null: 'null',
    'a string': '"verdict"',
    empty: '',
    '70,000 bytes': 'x'.repeat(70_000),
  };
}

test('whatever a message says, it is kept aside with its reason and the good ones behind it are read', (t) => {
  const { ledger, conditions, sealed, stored, dir } = told(t);
  const good: string[] = [];
  const bad = sealed();
  uploadNext(ledger);
  for (const [what, body] of Object.entries(hostile(bad.clipId))) {
    const { clipId } = sealed();
    uploadNext(ledger);
    assert.doesNotThrow(() => stored(body, what), what);
    stored(JSON.stringify(verdictFor(clipId)), clipId);
    good.push(clipId);
    ledger.drainInbox();
    assert.equal(ledger.clip(clipId)?.state, 'judged', `behind ${what}`);
    assert.equal(ledger.clip(bad.clipId)?.verdict, null, what);
  }
  assert.match(conditions.list()[0]?.detail ?? '', /cloud messages could not be read/);
  assert.ok((conditions.list()[0]?.detail ?? '').length < 1_000);
  assert.equal(conditions.list()[0]?.code, 'message-refused');
  const db = new Sqlite(ledgerFile(dir), { readonly: true });
  const refused = db
    .prepare<[], { message_id: string; reason: string }>(
      "SELECT message_id, reason FROM inbox WHERE outcome = 'refused'",
    )
    .all();
  db.close();
  assert.equal(refused.length, Object.keys(hostile(bad.clipId)).length);
  for (const { message_id, reason } of refused)
    assert.ok(reason.length > 0 && reason.length <= 500, message_id);
});

test('the notice of a refused message goes a day after the last one', async (t) => {
  const { ledger, clock, conditions, stored } = told(t);
  stored('no verdict');
  ledger.drainInbox();
  await clock.advance(DAY_MS - 1);
  ledger.drainInbox();
  assert.equal(conditions.list().length, 1);
  await clock.advance(1);
  ledger.drainInbox();
  assert.deepEqual(conditions.list(), []);
});

test('a byte order mark and unknown fields do not make a verdict unreadable; its texts stay as they are', (t) => {
  const { ledger, sealed, stored } = told(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  const verdict = { ...verdictFor(clipId), reason: 'lone \ud800 and 🦊', constructor: 1, toString: 'x' };
  stored(`\ufeff${JSON.stringify(verdict)}`);
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
  assert.equal(ledger.clip(clipId)?.verdict?.reason, 'lone \ud800 and 🦊');
});

test('a row that cannot be applied is set aside, and the rows around it are read', (t) => {
  const { ledger, dir, sealed, stored } = told(t);
  const clips = [sealed(), sealed(), sealed()];
  for (const _ of clips) uploadNext(ledger);
  // A damaged index, a full column, a fault of ours: to the inbox they are all an error of the same call.
  const db = new Sqlite(ledgerFile(dir));
  db.exec(`CREATE TRIGGER spoil BEFORE UPDATE OF verdict ON clips WHEN new.clip_id = '${clips[1]!.clipId}'
           BEGIN SELECT raise(ABORT, 'spoilt'); END`);
  db.close();
  for (const { clipId } of clips) stored(JSON.stringify(verdictFor(clipId)), clipId);
  assert.deepEqual(ledger.drainInbox(), { applied: 2, refused: 1 });
  assert.deepEqual(
    clips.map(({ clipId }) => ledger.clip(clipId)?.state),
    ['judged', 'uploaded', 'judged'],
  );
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 0 });
});

test('a message that can neither be applied nor set aside stays unread, and keeps no other from being read', (t) => {
  const { ledger, dir, sealed, stored, lines } = told(t);
  const clips = [sealed(), sealed(), sealed()];
  for (const _ of clips) uploadNext(ledger);
  const db = new Sqlite(ledgerFile(dir));
  db.exec(`CREATE TRIGGER spoil BEFORE UPDATE OF outcome ON inbox WHEN old.message_id = '${clips[1]!.clipId}'
           BEGIN SELECT raise(ABORT, 'spoilt'); END`);
  for (const { clipId } of clips) stored(JSON.stringify(verdictFor(clipId)), clipId);
  assert.deepEqual(ledger.drainInbox(), { applied: 2, refused: 0 });
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 0 });
  assert.equal(ledger.clip(clips[1]!.clipId)?.state, 'uploaded', 'nothing of it was applied');
  assert.ok(lines.some((line) => line.includes('inbox.not-set-aside')));
  db.exec('DROP TRIGGER spoil');
  db.close();
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
});

test('a message as large as the hub allows is read; of a larger one its beginning is kept', (t) => {
  const { ledger, dir, sealed, stored } = told(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  const padded = (bytes: number) => JSON.stringify(verdictFor(clipId)).padEnd(bytes);
  stored(padded(65_537), 'too large');
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 0 }, 'it was refused when it came');
  stored(padded(65_536), 'as large as may be');
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
  stored(`no verdict ${'x'.repeat(50_000)}`, 'no verdict');
  ledger.drainInbox();
  const kept = inboxRows(dir);
  assert.match(kept['too large']?.reason ?? '', /65537 bytes, more than the hub's own limit of 65536/);
  assert.equal(kept['too large']?.bytes, 16_384);
  assert.equal(kept['no verdict']?.bytes, 16_384);
  assert.equal(kept['as large as may be']?.bytes, 0, 'the row of the clip has it');
});

test('a message has the time at which it came, and one that no calendar has is put right', (t) => {
  const { ledger, dir, clock } = told(t);
  const times: [number, number][] = [
    [1_780_000_000_123.6, 1_780_000_000_124],
    [-5, 0],
    [1e300, Number.MAX_SAFE_INTEGER],
    [Number.NaN, Math.round(clock.nowMs())],
  ];
  for (const [receivedMs] of times)
    ledger.storeMessage({ messageId: `at ${receivedMs}`, receivedMs, body: Buffer.from('x') });
  const kept = inboxRows(dir);
  for (const [receivedMs, stored] of times) assert.equal(kept[`at ${receivedMs}`]?.receivedMs, stored);
});

test('a verdict that is known already counts neither as applied nor as refused', (t) => {
  const { ledger, sealed, stored, conditions } = told(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  stored(JSON.stringify(verdictFor(clipId, 3)), 'third');
  stored(JSON.stringify(verdictFor(clipId, 3)), 'third again');
  stored(JSON.stringify(verdictFor(clipId, 2)), 'second');
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
  assert.deepEqual(conditions.list(), []);
});

test('a locked ledger leaves messages unread, and they are read when it is free', (t) => {
  const { ledger, dir, sealed, stored, lines } = told(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  stored(JSON.stringify(verdictFor(clipId)));
  const other = new Sqlite(ledgerFile(dir));
  other.exec('BEGIN IMMEDIATE');
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 0 });
  assert.ok(lines.some((line) => line.includes('inbox.drain-failed')));
  other.exec('ROLLBACK');
  other.close();
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
});

test('of messages that were read the last ten thousand are known, and unread ones are never forgotten', (t) => {
  const { ledger, dir, stored } = told(t);
  const db = besideLedger(dir);
  const insert = db.prepare(
    "INSERT INTO inbox (message_id, body_sha256, received_ms, body, outcome) VALUES (?, 'x', 1, x'', 'applied')",
  );
  db.transaction(() => {
    for (let n = 0; n < 10_001; n++) insert.run(`old ${n}`);
  })();
  ledger.drainInbox();
  assert.ok(inboxRows(dir)['old 0'], 'nothing new came');
  db.close();
  stored('no verdict', 'new');
  ledger.drainInbox();
  const kept = inboxRows(dir);
  assert.deepEqual(
    ['old 0', 'old 1', 'old 2', 'new'].map((id) => id in kept),
    [false, false, true, true],
  );
});

/** Messages by their id. */
function inboxRows(dir: string) {
  const db = new Sqlite(ledgerFile(dir), { readonly: true });
  const rows = db
    .prepare<[], { id: string; bytes: number; receivedMs: number; reason: string | null }>(
      'SELECT message_id AS id, length(body) AS bytes, received_ms AS receivedMs, reason FROM inbox',
    )
    .all();
  db.close();
  return Object.fromEntries(rows.map((row) => [row.id, row]));
}

test('messages that nobody has read, however many, never keep the next from being stored', (t) => {
  const { ledger, dir, stored, sealed } = told(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  const db = besideLedger(dir);
  const insert = db.prepare(
    "INSERT INTO inbox (message_id, body_sha256, received_ms, body) VALUES (?, 'x', 1, x'00')",
  );
  db.transaction(() => {
    for (let i = 0; i < 10_000; i++) insert.run(`old ${i}`);
  })();
  db.close();
  assert.doesNotThrow(() => stored(JSON.stringify(verdictFor(clipId)), 'good'));
  let read = { applied: 0, refused: 0 };
  let applied = 0;
  do {
    read = ledger.drainInbox();
    applied += read.applied;
  } while (read.applied + read.refused > 0);
  assert.equal(applied, 1);
  assert.equal(ledger.clip(clipId)?.state, 'judged');
});

test('a message id of any length, and a time that is none, are stored; the same message again changes nothing', (t) => {
  const { ledger, stored, sealed } = told(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  const body = JSON.stringify(verdictFor(clipId));
  for (const receivedMs of [Number.NaN, 1e300, -1e300, Number.POSITIVE_INFINITY])
    ledger.storeMessage({ messageId: 'x'.repeat(60_000), receivedMs, body: Buffer.from(body) });
  stored(body, '');
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
});

test('a thousand messages wait to be read at most: the next one sets the oldest aside, and that is told', (t) => {
  const { ledger, conditions, stored } = told(t);
  for (let n = 0; n < 1_000; n++) stored('no verdict', `m ${n}`);
  assert.deepEqual(conditions.list(), [], 'a thousand may wait');
  stored('no verdict', 'one more');
  assert.match(
    conditions.list()[0]?.detail ?? '',
    /^a cloud message could not be read, and is kept aside\. .*1000 messages waited/,
  );
  let refused = 0;
  for (let read = ledger.drainInbox(); read.refused > 0; read = ledger.drainInbox()) refused += read.refused;
  assert.equal(refused, 1_000, 'the oldest is not read again');
});

test('a verdict that cannot be used is noted once for each reason, five times at most', (t) => {
  const { ledger, sealed } = told(t);
  const { clipId } = sealed();
  for (const reason of ['a', 'a', 'b', 'c', 'd', 'e', 'f', 'a']) ledger.noteRefusedVerdict(clipId, reason);
  const notes = ledger.custody(clipId).filter(({ event }) => event === 'verdict-refused');
  assert.deepEqual(
    notes.map(({ detail }) => detail),
    ['a', 'b', 'c', 'd', 'e'],
  );
  assert.doesNotThrow(() => ledger.noteRefusedVerdict('01ARYZ6S410000000000000000', 'of no clip'));
});

test('a damaged ledger is no fault of a message: it stays unread, and is read when the ledger is whole again', (t) => {
  const { ledger, sealed, stored, dir } = told(t);
  const clip = sealed();
  uploadNext(ledger);
  stored(JSON.stringify(verdictFor(clip.clipId)));
  const other = new Sqlite(ledgerFile(dir));
  t.after(() => other.close());
  other.exec('ALTER TABLE custody RENAME TO elsewhere');
  assert.throws(() => ledger.drainInbox(), /no such table/);
  other.exec('ALTER TABLE elsewhere RENAME TO custody');
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
  assert.equal(ledger.clip(clip.clipId)?.state, 'judged');
});
