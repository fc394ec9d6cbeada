import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLog } from '../../../../../cloud-fn/yolo/log.ts';
import { holdMessage, type TakenMessage } from '../../../../../cloud-fn/yolo/queue/message-lease.ts';
import { createFakeQueue } from '../fake-queue.ts';

const LEASE_MS = 30_000;
const THIRD_MS = 10_000;

/** A message that was taken, and time that passes in thirds of its lease. */
async function hold(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const time = { nowMs: 0 };
  const queue = createFakeQueue(time);
  await queue.client.sendMessage('clip');
  const [taken] = (await queue.client.receiveMessages({ visibilityTimeout: LEASE_MS / 1000 }))
    .receivedMessageItems as TakenMessage[];
  const log: string[] = [];
  const lease = holdMessage(queue.client, taken ?? assert.fail(), {
    leaseMs: LEASE_MS,
    log: createLog((line) => log.push(line)),
    monotonicMs: () => time.nowMs,
  });
  t.after(() => lease.settle().catch(() => undefined));
  const third = async (fails = false) => {
    if (fails) queue.failures.update = new Error('storage is away');
    time.nowMs += THIRD_MS;
    t.mock.timers.tick(THIRD_MS);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const hiddenMs = () => (queue.messages()[0]?.visibleAtMs ?? 0) - time.nowMs;
  return { queue, lease, log, third, hiddenMs };
}

test('a message is kept hidden for as long as it is worked on, and deleted with the newest receipt', async (t) => {
  const { queue, lease, log, third, hiddenMs } = await hold(t);
  for (let n = 0; n < 12; n++) {
    await third();
    assert.equal(hiddenMs(), LEASE_MS);
  }
  assert.equal(lease.lost.aborted, false);
  await lease.settle();
  assert.deepEqual([queue.messages(), log], [[], []]);
});

test('renewals that fail are told, and passed over while the lease lasts; when its time is over the message is lost', async (t) => {
  const { lease, log, third } = await hold(t);
  await third(true);
  await third(true);
  await third();
  // Held for thirty seconds more from here on.
  await third(true);
  await third(true);
  assert.equal(lease.lost.aborted, false);
  await third(true);
  assert.equal(lease.lost.aborted, true);
  assert.deepEqual(
    log.map((line) => (JSON.parse(line) as { lost: boolean }).lost),
    [false, false, false, false, true],
  );
});

test('a message that somebody else has taken is lost at the next renewal', async (t) => {
  const { queue, lease, third } = await hold(t);
  queue.stealAll();
  await third();
  assert.equal(lease.lost.aborted, true);
  await assert.rejects(lease.settle(), /PopReceiptMismatch/);
  assert.equal(queue.messages().length, 1);
});

test('given back it is hidden for as long as was asked, and renewed no more', async (t) => {
  const { lease, log, third, hiddenMs } = await hold(t);
  await third();
  await lease.giveBack(4_000);
  assert.equal(hiddenMs(), 4_000);
  await third();
  assert.equal(hiddenMs(), 4_000 - THIRD_MS);
  assert.deepEqual(log, []);
});

test('who settles while a renewal is under way waits for the receipt it brings', async (t) => {
  const { queue, lease, log, third } = await hold(t);
  const answer = Promise.withResolvers<void>();
  const update = queue.client.updateMessage.bind(queue.client);
  Object.assign(queue.client, {
    updateMessage: async (...args: Parameters<typeof update>) => {
      const renewed = await update(...args);
      await answer.promise;
      return renewed;
    },
  });
  await third();
  const settled = lease.settle();
  answer.resolve();
  await settled;
  assert.deepEqual([queue.messages(), log], [[], []]);
});

test('a renewal that brings no receipt is none', async (t) => {
  const { queue, log, third } = await hold(t);
  Object.assign(queue.client, { updateMessage: async () => ({}) });
  await third();
  assert.match(log[0] ?? '', /no new receipt/);
});
