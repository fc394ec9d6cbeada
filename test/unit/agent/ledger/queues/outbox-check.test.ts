import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { type TelemetryEvent } from '@dachawatch/contracts';
import { openDatabase } from '../../../../../agent/ledger/database/database.ts';
import { inspectLedger } from '../../../../../agent/ledger/check/inspect.ts';
import { MIGRATIONS } from '../../../../../agent/ledger/database/migrations.ts';
import { besideLedger, benchLedger } from '../bench.ts';
import { events, link } from './outbox-bench.ts';

test('the check finds events that cannot be what was told; a repair takes them out, counts them, and the next check finds nothing', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  bench.ledger.tell('link.state', link('a'));
  bench.ledger.tell('link.state', link('b'));
  bench.ledger.close();
  const db = besideLedger(bench.dir);
  const body = (event: string) =>
    db.prepare('SELECT body FROM outbox WHERE event = ? LIMIT 1').pluck().get(event) as string;
  const change = db.prepare('UPDATE outbox SET body = ? WHERE event_id = ?');
  const whole = body('link.state');
  const ids = db.prepare<[], string>('SELECT event_id FROM outbox ORDER BY event_id').pluck().all();
  change.run(
    body('clip.sealed').replace(/"clipId":"[^"]+"/, '"clipId":"01M00000000000000000000000"'),
    ids[0],
  );
  change.run('{ not JSON', ids[1]);
  change.run(whole, ids[2]);
  db.prepare('INSERT INTO outbox (event_id, event, rank, bytes, body) VALUES (?, ?, 2, 10, ?)').run(
    '7ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    'link.state',
    JSON.stringify({ ...JSON.parse(exampleOf('link.state')), eventId: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' }),
  );
  db.close();

  const look = inspectLedger(bench.dir);
  const seen = await look.check({ deep: false });
  look.close();
  const problems = [/what never happened/, /is not JSON/, /says it is another one/, /never given/];
  assert.equal(seen.problems.length, problems.length);
  for (const [index, pattern] of problems.entries()) assert.match(seen.problems[index]!.problem, pattern);

  bench.ledger = { ...bench.ledger, close: () => undefined };
  const repaired = await bench.reopen().check({ repair: true });
  assert.equal(repaired.problems.length, problems.length);
  assert.match(repaired.problems[0]!.problem, /it was taken out$/);
  assert.equal(bench.ledger.summary().eventsDropped, problems.length);
  const after = await bench.ledger.check({ repair: false, deep: true });
  assert.deepEqual(after, { clips: 1, ok: 1, repaired: 0, repairable: 0, problems: [] });
});

test('events of a newer program that was rolled back are left alone, and can be sent', async (t) => {
  const bench = benchLedger(t);
  bench.ledger.tell('link.state', link('ours'));
  const db = besideLedger(bench.dir);
  const ids = ['01A00000000000000000000000', '01B00000000000000000000000'];
  const add = db.prepare('INSERT INTO outbox (event_id, event, rank, bytes, body) VALUES (?, ?, 2, 10, ?)');
  add.run(
    ids[0],
    'door.bell',
    exampleOf('link.state').replace('link.state', 'door.bell').replace(/01M0+/, ids[0]!),
  );
  add.run(
    ids[1],
    'link.state',
    JSON.stringify({ schema: 'dachawatch/telemetry/2', eventId: ids[1], event: 'link.state', news: {} }),
  );
  db.close();
  assert.deepEqual((await bench.ledger.check({ repair: true })).problems, []);
  assert.deepEqual(
    bench.ledger.outgoing(2).map(({ eventId }) => eventId),
    ids,
  );
});

const exampleOf = (event: TelemetryEvent): string =>
  JSON.stringify({
    schema: 'dachawatch/telemetry/1',
    eventId: '01M00000000000000000000000',
    event,
    deviceTimeUtc: '2026-06-01T12:00:00.000Z',
    monotonicMs: 1,
    clockQuality: 'synchronised',
    data: { state: 'online' },
  });

test('the ledger of a program that had no outbox yet can be looked at, gains one when opened, and is no longer its own', async (t) => {
  const bench = benchLedger(t);
  bench.ledger.close();
  bench.ledger = { ...bench.ledger, close: () => undefined };
  rmSync(bench.dir, { recursive: true });
  openDatabase(bench.dir, MIGRATIONS.slice(0, 1)).close();
  const look = inspectLedger(bench.dir);
  assert.deepEqual((await look.check({ deep: false })).problems, []);
  look.close();
  bench.reopen();
  bench.sealed();
  assert.deepEqual(events(bench.ledger), ['clip.sealed']);
  bench.ledger.close();
  bench.ledger = { ...bench.ledger, close: () => undefined };
  assert.throws(() => openDatabase(bench.dir, MIGRATIONS.slice(0, 1)), { code: 'ledger.newer' });
  assert.equal(bench.reopen().clips({ limit: 9 }).length, 1);
});
