import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../cloud-fn/ports/clock.ts';
import { putAside } from '../../../../cloud-fn/functions/poison.ts';
import { driveAgain } from '../../../../cloud-fn/keeper/drive-again.ts';
import type { PoisonRecord } from '../../../../cloud-fn/keeper/poison-records.ts';
import { recordPoisonQueues } from '../../../../cloud-fn/keeper/record-poison.ts';
import { createNotificationOutbox } from '../../../../cloud-fn/ports/notification-outbox.ts';
import type { Notification } from '../../../../cloud-fn/ports/notification.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';

const QUEUE = 'video-processed';
const POISON = `${QUEUE}-poison`;

function scene() {
  const storage = createFakeStorage();
  const told: Notification[] = [];
  const clock = { nowMs: () => Date.UTC(2026, 10, 30) + storage.nowMs };
  const scene = {
    storage,
    told,
    webhook: (): void => {},
    aside: (original: string) =>
      putAside({ storage: storage.port, clock }, original, 'bad-json', 'the message is not JSON'),
    known: new Set<string>(),
    round: async () => {
      storage.nowMs += 60_000;
      const notification = createNotificationOutbox({
        channels: [
          {
            name: 'webhook',
            async notify(one) {
              scene.webhook();
              told.push(one);
            },
          },
        ],
        storage: storage.port,
        clock: { ...systemClock, ...clock },
        log: { info: () => {}, warn: () => {} },
      });
      return recordPoisonQueues({ storage: storage.port, notification, clock, known: scene.known });
    },
    records: () =>
      storage
        .names()
        .filter((name) => name.startsWith('dacha-instances/poison/'))
        .map((name) => storage.document(name) as PoisonRecord),
  };
  return scene;
}

test('what lies in a poison queue is recorded with its reason and told once, and stays where it is', async () => {
  const { storage, told, aside, round, records } = scene();
  await aside('7.10');
  await storage.port.sendMessage('video-to-processing-poison', 'what the host put there');
  assert.equal(await round(), 2);
  assert.deepEqual(
    records()
      .toSorted((one, other) => (one.queue < other.queue ? -1 : 1))
      .map(({ queue, reason, original, told: isTold, state }) => [queue, reason, original, isTold, state]),
    [
      ['video-processed', 'bad-json', '7.10', true, 'aside'],
      ['video-to-processing', 'not-processed', 'what the host put there', true, 'aside'],
    ],
  );
  assert.equal(told.length, 1);
  assert.match(told[0]?.text.en ?? '', /^2 messages could not be used/);
  for (let i = 0; i < 3; i += 1) assert.equal(await round(), 0);
  assert.deepEqual([told.length, storage.messages(POISON).length], [1, 1]);
});

test('a note without a reason is a message like any other, and has a reason in its record', async () => {
  const { storage, round, records } = scene();
  const notes = ['', '  ', null, 7].map((reason) => JSON.stringify({ reason, message: 'm', original: 'x' }));
  for (const note of notes) await storage.port.sendMessage(POISON, note);
  await round();
  assert.deepEqual(
    records()
      .map(({ reason, original }) => `${reason} ${original}`)
      .toSorted(),
    notes.map((note) => `not-processed ${note}`).toSorted(),
  );
});

test('a process that does not know what was told asks the records; one that could not tell tells later', async () => {
  const bench = scene();
  await bench.aside('garbage');
  bench.webhook = () => {
    throw new Error('away');
  };
  await assert.rejects(bench.round(), /away/);
  bench.webhook = () => {};
  bench.known = new Set();
  assert.equal(await bench.round(), 1);
  bench.known = new Set();
  assert.equal(await bench.round(), 0);
  assert.equal(bench.told.length, 1);
});

test('more messages than come at once are all recorded, the same text once', async () => {
  const { aside, round, records, told } = scene();
  for (let n = 0; n < 100; n += 1) await aside(`garbage ${n % 50}`);
  assert.equal(await round(), 50);
  assert.deepEqual([records().length, told.length], [50, 1]);
});

test('a recorded message is driven again once: it is in its queue and no longer aside', async () => {
  const { storage, aside, round, records } = scene();
  await aside('garbage');
  await aside('other');
  await round();
  const { digest } = records().find(({ original }) => original === 'garbage') ?? assert.fail();
  storage.nowMs += 60_000;
  assert.equal(await driveAgain(storage.port, digest), 'driven');
  assert.deepEqual(storage.messages(QUEUE), ['garbage']);
  assert.equal(storage.messages(POISON).length, 1, 'the other one stays');
  assert.equal(await driveAgain(storage.port, digest), 'already-driven');
  assert.deepEqual(storage.messages(QUEUE), ['garbage']);
  assert.equal(await driveAgain(storage.port, 'nothing'), 'no-such-message');
});

test('two who drive the same message at once send it once', async () => {
  const { storage, aside, round, records } = scene();
  await aside('garbage');
  await round();
  const { digest } = records()[0] ?? assert.fail();
  const outcomes = await Promise.all([1, 2, 3].map(() => driveAgain(storage.port, digest)));
  assert.deepEqual(outcomes.toSorted(), ['driven', 'in-progress', 'in-progress']);
  assert.deepEqual(storage.messages(QUEUE), ['garbage']);
});

test('a command that was killed while it sent is done again by the next one', async () => {
  const { storage, aside, round, records } = scene();
  await aside('garbage');
  await round();
  const { digest } = records()[0] ?? assert.fail();
  storage.fail = (operation) => {
    if (operation === 'sendMessage') throw new Error('killed');
  };
  await assert.rejects(driveAgain(storage.port, digest), /killed/);
  storage.fail = () => {};
  assert.equal(await driveAgain(storage.port, digest), 'in-progress');
  storage.nowMs += 120_000;
  assert.equal(await driveAgain(storage.port, digest), 'driven');
  assert.deepEqual(storage.messages(QUEUE), ['garbage']);
});

test('one that comes back after it was driven lies aside again, is told again, and can be driven again', async () => {
  const { storage, aside, round, records, told } = scene();
  await aside('garbage');
  await round();
  const { digest } = records()[0] ?? assert.fail();
  storage.nowMs += 60_000;
  await driveAgain(storage.port, digest);
  await aside('garbage');
  assert.equal(await round(), 1);
  assert.deepEqual([records().length, records()[0]?.state, told.length], [1, 'aside', 2]);
  assert.notEqual(told[0]?.id, told[1]?.id);
  storage.nowMs += 60_000;
  assert.equal(await driveAgain(storage.port, digest), 'driven');
});

test('a message that lies in a blob is driven as it was', async () => {
  const { storage, aside, round, records } = scene();
  const large = 'x'.repeat(48_000);
  await aside(large);
  await round();
  storage.nowMs += 60_000;
  await driveAgain(storage.port, records()[0]?.digest ?? '');
  assert.equal(storage.messages(QUEUE)[0] === large, true);
});
