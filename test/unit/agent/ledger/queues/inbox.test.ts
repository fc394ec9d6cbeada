import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchLedger, uploadNext, verdictFor } from '../bench.ts';

const message = (messageId: string, body: unknown) => ({
  messageId,
  receivedMs: 1,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

test('a verdict stored before a crash is applied after it, once', (t) => {
  const bench = benchLedger(t);
  const { clipId } = bench.sealed();
  uploadNext(bench.ledger);
  bench.ledger.storeMessage(message(`${clipId}.1`, verdictFor(clipId)));
  const ledger = bench.reopen();
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 0 });
  assert.equal(ledger.clip(clipId)?.state, 'judged');
});

test('duplicates and reordering change nothing: the highest revision counts', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  const second = message(`${clipId}.2`, verdictFor(clipId, 2, 'animal'));
  for (const one of [second, second, message(`${clipId}.1`, verdictFor(clipId, 1)), second]) {
    ledger.storeMessage(one);
    ledger.drainInbox();
  }
  assert.equal(ledger.clip(clipId)?.verdict?.verdict, 'animal');
  assert.equal(ledger.custody(clipId).filter((entry) => entry.event === 'judge').length, 1);
});

test('a message id that comes again with other bytes is kept, refused, and the first one counts', (t) => {
  const { ledger, lines, sealed } = benchLedger(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  ledger.storeMessage(message('m', verdictFor(clipId, 1, 'person')));
  ledger.storeMessage(message('m', verdictFor(clipId, 9, 'nothing')));
  ledger.drainInbox();
  assert.equal(ledger.clip(clipId)?.verdict?.verdict, 'person');
  assert.ok(lines.some((line) => line.includes('inbox.conflict')));
});

test('garbage, a missing field and an unknown clip are refused, each with its reason', (t) => {
  const { ledger, lines } = benchLedger(t);
  ledger.storeMessage(message('a', 'not json at all'));
  ledger.storeMessage(message('b', { clip_id: 'x' }));
  ledger.storeMessage(message('c', verdictFor('01ARYZ6S410000000000000000')));
  ledger.storeMessage({ messageId: '', receivedMs: 1, body: new Uint8Array([0xff, 0xfe]) });
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 4 });
  const refused = lines.filter((line) => line.includes('inbox.refused')).join('\n');
  assert.match(refused, /not JSON/);
  assert.match(refused, /dachawatch\/verdict\/1/);
  assert.match(refused, /there is no clip 01ARYZ6S410000000000000000/);
});

test('a field we do not know yet is ignored', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  ledger.storeMessage(message('a', { ...verdictFor(clipId), from_the_future: { x: 1 } }));
  assert.deepEqual(ledger.drainInbox(), { applied: 1, refused: 0 });
  assert.equal('from_the_future' in (ledger.clip(clipId)?.verdict ?? {}), false);
});

test('a verdict about a lost clip is kept with it', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  ledger.loseClip(clipId, 'gone');
  assert.equal(ledger.applyVerdict(verdictFor(clipId)), 'applied');
  assert.equal(ledger.clip(clipId)?.state, 'lost');
  assert.equal(ledger.clip(clipId)?.verdict?.verdict, 'person');
});
