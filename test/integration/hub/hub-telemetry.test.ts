import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, Telemetry } from '@dachawatch/contracts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLedger, type Ledger } from '../../../agent/ledger/ledger.ts';
import { createLogBook } from '../../fakes/log-book.ts';
import { eventually, QUICK, silent, useHub } from './hub-fixture.ts';

const house = useHub();
const ONE_MB = 1024 * 1024;
const soon = () => AbortSignal.timeout(120_000);

/** The real ledger as the outbox. */
function openLedger(dir = join(house.world.dir, randomUUID())): { ledger: Ledger; dir: string } {
  const ledger = createLedger({
    dir,
    clock: systemClock,
    log: silent,
    maxBytes: 100 * ONE_MB,
    leaseMs: 60_000,
    recoverTorn: async () => undefined,
  });
  return { ledger, dir };
}

const tell = (ledger: Ledger, count: number) => {
  for (let n = 0; n < count; n += 1)
    ledger.tell('camera.state', { cameraId: 'yard', state: 'live', detail: `größer & besser ${n}` });
};

/** What the hub got, as an application behind it reads it. */
const arrived = () =>
  house.hub.telemetry.map(({ topic, body }) => {
    const bag = new URLSearchParams(topic.split('/events/')[1]);
    return { bag, event: parse(Telemetry, JSON.parse(body.toString())) };
  });
const ids = () => arrived().map(({ event }) => event.eventId);

test('an event arrives as it was stored, with its id, kind and type where a route can see them', async () => {
  const { ledger } = openLedger();
  const link = await house.onlineLink({ outbox: ledger });
  tell(ledger, 1);
  const [stored] = ledger.outgoing(1);
  link.wakeOutbox();
  assert.equal(await link.flush(soon()), true);
  const [got] = arrived();
  assert.deepEqual(got?.event, JSON.parse(stored?.body ?? ''));
  assert.deepEqual(Object.fromEntries(got?.bag ?? []), {
    '$.mid': stored?.eventId,
    '$.ct': 'application/json',
    '$.ce': 'utf-8',
    event: 'camera.state',
  });
  assert.deepEqual(ledger.outgoing(1), []);
  ledger.close();
});

test('what was told while offline waits on disk, survives a restart, and arrives in order', async () => {
  await house.hub.mqtt.shut();
  const first = openLedger();
  const link = house.link({ outbox: first.ledger });
  await link.start();
  tell(first.ledger, 50);
  link.wakeOutbox();
  const told = first.ledger.outgoing(50).map(({ eventId }) => eventId);
  assert.equal(await link.flush(soon()), false);
  await link.stop();
  first.ledger.close();

  const { ledger } = openLedger(first.dir);
  await house.hub.mqtt.open();
  const again = await house.onlineLink({ outbox: ledger });
  assert.equal(await again.flush(soon()), true);
  assert.deepEqual(ids(), told);
  ledger.close();
});

test('an event whose acknowledgement was lost comes again under the same id, and is settled once', async () => {
  const { ledger } = openLedger();
  const settled: string[] = [];
  const link = await house.onlineLink({
    outbox: {
      outgoing: (limit) => ledger.outgoing(limit),
      settleOutgoing: (eventId) => {
        settled.push(eventId);
        ledger.settleOutgoing(eventId);
      },
    },
  });
  house.hub.faults.dropPuback = true;
  tell(ledger, 1);
  link.wakeOutbox();
  await eventually('the first arrival', () => ids().length === 1);
  assert.deepEqual(settled, []);
  house.hub.mqtt.drop();
  house.hub.faults.dropPuback = false;
  await eventually('the second arrival', () => ids().length === 2);
  assert.equal(await link.flush(soon()), true);
  assert.equal(new Set(ids()).size, 1);
  assert.deepEqual(settled, [ids()[0]]);
  ledger.close();
});

test('a hub that never acknowledges is left after a deadline, and gets few of many events at a time', async () => {
  const { ledger } = openLedger();
  tell(ledger, 100);
  house.hub.faults.dropPuback = true;
  const book = createLogBook();
  await house.onlineLink({ outbox: ledger, log: book.log, timings: { ...QUICK, callMs: 1_500 } });
  const left = await eventually('the connection is left', () =>
    book.lines.find(({ fields }) => fields['event'] === 'link.offline'),
  );
  assert.match(String(left.fields['detail']), /acknowledgement of an event took longer than 1500 ms/);
  assert.equal(new Set(ids()).size, 4);
  house.hub.faults.dropPuback = false;
  await eventually('everything is settled', () => ledger.outgoing(1).length === 0);
  assert.equal(new Set(ids()).size, 100);
  ledger.close();
});

test('events keep flowing through resets, and none is missing', async () => {
  const { ledger } = openLedger();
  tell(ledger, 200);
  const told = ledger.outgoing(200).map(({ eventId }) => eventId);
  const link = await house.onlineLink({ outbox: ledger });
  for (const mark of [20, 60, 120]) {
    await eventually(`${mark} arrived`, () => ids().length >= mark);
    house.hub.mqtt.reset();
  }
  await eventually('everything is settled', () => ledger.outgoing(1).length === 0);
  assert.deepEqual([...new Set(ids())].toSorted(), told);
  assert.ok(link.counts.online >= 2);
  ledger.close();
});
