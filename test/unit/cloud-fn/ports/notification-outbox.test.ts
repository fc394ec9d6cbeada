import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../cloud-fn/ports/clock.ts';
import {
  ATTEMPT_MS,
  ATTEMPTS_MAX,
  createNotificationOutbox,
  UNCERTAIN_MAX,
} from '../../../../cloud-fn/ports/notification-outbox.ts';
import { deliveryPlace } from '../../../../cloud-fn/ports/instance-places.ts';
import type { Notification } from '../../../../cloud-fn/ports/notification.ts';
import { PortFailure } from '../../../../cloud-fn/ports/port-failure.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';

const notification: Notification = {
  id: 'clip-1.1.person-seen',
  kind: 'person-seen',
  at: '2026-11-21T12:00:00Z',
  text: { en: 'A person was seen.', uk: 'Помічено людину.' },
  clip: { clipId: 'c', blobName: 'dacha-video/c.mp4', deviceId: null, cameraId: null },
  verdict: 'person',
  confidence: 0.9,
  bestFrame: null,
};
const NO_ANSWER = new PortFailure('transient', 'webhook.no-answer', 'the webhook did not answer within 20 s');
const BROKEN = new PortFailure('transient', 'webhook.http-500', 'the webhook answered 500');

/** Two channels that note what they take; `refuse` throws what they refuse with. */
function scene() {
  const storage = createFakeStorage();
  const taken: string[] = [];
  const bench = {
    storage,
    taken,
    refuse: async (_channel: string): Promise<void> => {},
    record: () => {
      const { container, name } = deliveryPlace(notification);
      return storage.document(`${container}/${name}`) as {
        state: string;
        attempts: number;
        uncertain: number;
        accepted: string[];
        notification: Notification;
      };
    },
    /** Another process each time. */
    outbox: () =>
      createNotificationOutbox({
        channels: ['queue', 'webhook'].map((name) => ({
          name,
          async notify({ id }) {
            await bench.refuse(name);
            taken.push(`${name} ${id}`);
          },
        })),
        storage: storage.port,
        clock: { ...systemClock, nowMs: () => storage.nowMs },
        log: { info: () => {}, warn: () => {} },
      }),
  };
  return bench;
}
const BOTH = [`queue ${notification.id}`, `webhook ${notification.id}`];

test('a notification goes to every channel once, whoever asks for it and however often', async () => {
  const { outbox, taken, record } = scene();
  await outbox().notify(notification);
  await outbox().notify(notification);
  await outbox().notify({ ...notification, id: 'clip-1-r2.2.person-seen' });
  assert.deepEqual([taken, record().state], [BOTH, 'accepted']);
  await outbox().notify({ ...notification, kind: 'no-answer', id: 'clip-1.1.no-answer' });
  assert.equal(taken.length, 4, 'another kind is another notification');
});

test('of several who deliver at once one does; the others are told that somebody is at it', async () => {
  const { outbox, taken } = scene();
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => outbox().notify(notification)));
  assert.deepEqual(taken, BOTH);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected')
      assert.equal((outcome.reason as PortFailure).code, 'notification.in-progress');
});

test('a channel that has it is not sent it again when another failed, and what is sent again is the same', async () => {
  const bench = scene();
  bench.refuse = async (channel) => {
    if (channel === 'webhook') throw BROKEN;
  };
  await assert.rejects(bench.outbox().notify(notification), BROKEN);
  assert.deepEqual([bench.record().state, bench.record().accepted], ['failed', ['queue']]);
  bench.refuse = async () => {};
  await bench.outbox().notify({ ...notification, id: 'clip-1-r2.2.person-seen', confidence: 0.1 });
  assert.deepEqual(bench.taken, BOTH);
  assert.deepEqual(bench.record().notification, notification);
});

test('what one channel has taken is noted before another has answered: a kill in between sends it there once', async () => {
  const bench = scene();
  bench.refuse = (channel) => (channel === 'queue' ? new Promise(() => {}) : Promise.resolve());
  void bench.outbox().notify(notification);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([bench.record().state, bench.record().accepted], ['sending', ['webhook']]);
  bench.refuse = async () => {};
  bench.storage.nowMs += ATTEMPT_MS;
  await bench.outbox().notify(notification);
  assert.deepEqual(bench.taken.toSorted(), BOTH);
});

test('whoever was killed while it sent is replaced, when it cannot be at work any more', async () => {
  const bench = scene();
  bench.refuse = () => new Promise(() => {});
  void bench.outbox().notify(notification);
  await new Promise((resolve) => setImmediate(resolve));
  bench.refuse = async () => {};
  bench.storage.nowMs += ATTEMPT_MS - 1;
  await assert.rejects(bench.outbox().notify(notification), { code: 'notification.in-progress' });
  bench.storage.nowMs += 1;
  await bench.outbox().notify(notification);
  assert.deepEqual([bench.taken, bench.record().state], [BOTH, 'accepted']);
});

test('what is not answered may have arrived: it is tried three times in all; what is refused, thirty times', async () => {
  for (const [error, most] of [
    [NO_ANSWER, UNCERTAIN_MAX],
    [BROKEN, ATTEMPTS_MAX],
  ] as const) {
    const bench = scene();
    let asked = 0;
    bench.refuse = async (channel) => {
      if (channel !== 'webhook') return;
      asked += 1;
      throw error;
    };
    for (let i = 0; i < 40; i += 1) await assert.rejects(bench.outbox().notify(notification));
    assert.equal(asked, most);
    await assert.rejects(bench.outbox().notify(notification), {
      code: 'notification.given-up',
      kind: 'rejected',
      message: new RegExp(`tried ${most} times: .*${error.message}`),
    });
  }
});

test('a record that nobody can read is begun anew', async () => {
  const bench = scene();
  const place = deliveryPlace(notification);
  await bench.storage.port.writeBlob(place, { bytes: 'nonsense', contentType: '' });
  await bench.outbox().notify(notification);
  assert.equal(bench.record().state, 'accepted');
});

test('where no record can be written nothing is sent', async () => {
  const bench = scene();
  bench.storage.fail = () => {
    throw new Error('storage is away');
  };
  await assert.rejects(bench.outbox().notify(notification), /storage is away/);
  assert.deepEqual(bench.taken, []);
});
