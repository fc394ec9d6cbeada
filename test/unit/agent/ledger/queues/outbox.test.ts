import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchLedger } from '../bench.ts';
import { link, told } from './outbox-bench.ts';

test('an event waits until the hub has it, also when the agent was ended in between', (t) => {
  const bench = benchLedger(t);
  bench.ledger.tell('link.state', link('cable'));
  const [event] = told(bench.reopen());
  assert.deepEqual(event?.data, { state: 'offline', detail: 'cable' });
  assert.equal(event?.deviceTimeUtc, '2026-06-01T12:00:00.000Z');
  assert.equal(event?.monotonicMs, 1_000);
  assert.equal(event?.clockQuality, 'unsynchronised', 'before this program was written');
  assert.equal(bench.ledger.summary().outgoing, 1);
  bench.ledger.settleOutgoing(event.eventId);
  assert.equal(bench.ledger.summary().outgoing, 0);
  assert.deepEqual(told(bench.reopen()), []);
});

test('settling twice, or what never waited, changes nothing', (t) => {
  const { ledger } = benchLedger(t);
  ledger.tell('link.state', link('first'));
  ledger.tell('link.state', link('second'));
  const [first] = ledger.outgoing(1);
  for (const id of [first!.eventId, first!.eventId, '01M00000000000000000000000', ''])
    ledger.settleOutgoing(id);
  assert.deepEqual(
    told(ledger).map(({ data }) => data['detail']),
    ['second'],
  );
});

test('events are given oldest first, although the clock was set back a year, and an id never comes twice', async (t) => {
  const bench = benchLedger(t);
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    bench.ledger.tell('link.state', link(String(i)));
    if (i === 2) bench.clock.setWall(Date.UTC(2025, 5, 1));
    if (i === 3) bench.reopen();
    await bench.clock.advance(5);
    const newest = told(bench.ledger).at(-1)!;
    ids.push(newest.eventId);
    assert.equal(newest.data['detail'], String(i));
    if (i % 2 === 0) bench.ledger.settleOutgoing(newest.eventId);
  }
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
});

test('no secret is stored with an event', (t) => {
  const { ledger } = benchLedger(t);
  ledger.tell('camera.state', {
    cameraId: 'gate',
    state: 'unreachable',
    detail:
      'rtsp://watch:s3cret@10.0.0.9/1 answered 401, password="s3cret", see https://blob/x?sv=1&sig=s3cret',
  });
  const [{ body } = { body: '' }] = ledger.outgoing(1);
  assert.match(body, /answered 401/);
  assert.doesNotMatch(body, /s3cret/);
  JSON.parse(body);
});
