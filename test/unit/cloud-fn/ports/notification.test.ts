import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createNotificationQueue } from '../../../../cloud-fn/ports/notification-queue.ts';
import { createNotificationWebhook } from '../../../../cloud-fn/ports/channels/webhook.ts';
import {
  createNotification,
  type Notification,
  type NotificationChannel,
} from '../../../../cloud-fn/ports/notification.ts';
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

async function webhook(t: TestContext, answer: (response: ServerResponse, n: number) => void) {
  const bodies: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => answer(response, bodies.push(body)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=secret` };
}

function scene(webhookUrl: string | undefined) {
  const storage = createFakeStorage();
  const sleeps: number[] = [];
  const logged: string[] = [];
  const log = {
    info: () => {},
    warn: (fields: object, message: string) => void logged.push(JSON.stringify(fields) + message),
  };
  const clock = { sleep: async (ms: number) => void sleeps.push(ms), nowMs: () => 0 };
  const channels = [createNotificationQueue(storage.port)];
  if (webhookUrl !== undefined)
    channels.push(createNotificationWebhook({ address: webhookUrl, clock, log, deadlineMs: 30_000 }));
  const port = createNotification(channels, log);
  const queued = () =>
    storage
      .messages('notifications')
      .map((text) => JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Notification);
  return { port, sleeps, logged, queued };
}

test('without a webhook a notification lies in the queue', async () => {
  const { port, queued } = scene(undefined);
  await port.notify(notification);
  assert.deepEqual(queued(), [notification]);
});

test('the webhook gets what the queue got, in both languages', async (t) => {
  const hook = await webhook(t, (response) => response.writeHead(204).end());
  const { port, queued } = scene(hook.url);
  await port.notify(notification);
  assert.deepEqual(
    hook.bodies.map((body) => JSON.parse(body)),
    queued(),
  );
});

test('a webhook that stumbles is asked again, with growing pauses', async (t) => {
  const hook = await webhook(t, (response, n) => response.writeHead(n < 3 ? 503 : 200).end());
  const { port, sleeps } = scene(hook.url);
  await port.notify(notification);
  assert.equal(hook.bodies.length, 3);
  assert.deepEqual(sleeps, [1000, 2000]);
});

test('a webhook that stays down is an error after three tries; the queue has it, and no log has the address', async (t) => {
  const hook = await webhook(t, (response) => response.writeHead(500).end());
  const { port, queued, logged } = scene(hook.url);
  await assert.rejects(port.notify(notification), { code: 'webhook.http-500', kind: 'transient' });
  assert.equal(hook.bodies.length, 3);
  assert.deepEqual(queued(), [notification]);
  assert.ok(!logged.join('').includes('token'));
});

test('a webhook that refuses is not asked again', async (t) => {
  const hook = await webhook(t, (response) => response.writeHead(410).end());
  const { port } = scene(hook.url);
  await assert.rejects(port.notify(notification), { code: 'webhook.http-410', kind: 'rejected' });
  assert.equal(hook.bodies.length, 1);
});

test('a webhook nobody listens on, or that never answers, is an error that does not repeat the address', async (t) => {
  const silent = await webhook(t, () => {});
  for (const url of ['http://127.0.0.1:1/hook?token=secret', silent.url]) {
    const hook = createNotificationWebhook({
      address: url,
      clock: { sleep: async () => {}, nowMs: () => 0 },
      log: { info: () => {}, warn: () => {} },
      deadlineMs: 50,
    });
    await assert.rejects(hook.notify(notification), (error: Error) => {
      assert.match(error.message, /did not answer/);
      assert.ok(!error.message.includes('token'));
      return true;
    });
  }
});

/** Channels that note what they are given, and throw what stands beside their name. */
function sideBySide(wanted: Readonly<Record<string, Error | undefined>>) {
  const told: string[] = [];
  const logged: object[] = [];
  const channels = Object.entries(wanted).map(
    ([name, error]): NotificationChannel => ({
      name,
      notify({ id }) {
        if (error) throw error;
        told.push(`${name} ${id}`);
        return Promise.resolve();
      },
    }),
  );
  const port = createNotification(channels, { info: () => {}, warn: (fields) => void logged.push(fields) });
  return { port, told, logged };
}

test('a channel that fails keeps none of the others from being told, whatever their order, and its error is handed on', async () => {
  const away = new PortFailure('transient', 'queue.away', 'the queue is away');
  const { port, told, logged } = sideBySide({ queue: away, webhook: undefined, chat: undefined });
  await assert.rejects(port.notify(notification), away);
  assert.deepEqual(told, [`webhook ${notification.id}`, `chat ${notification.id}`]);
  assert.deepEqual(logged, [{ event: 'notification.failed', channel: 'queue', id: notification.id }]);
});

test('the webhook is told although the queue is away', async (t) => {
  const hook = await webhook(t, (response) => response.writeHead(204).end());
  const log = { info: () => {}, warn: () => {} };
  const sendMessage = () => Promise.reject(new Error('storage is away'));
  const port = createNotification(
    [
      createNotificationQueue({ sendMessage }),
      createNotificationWebhook({ address: hook.url, clock: { sleep: async () => {}, nowMs: () => 0 }, log }),
    ],
    log,
  );
  await assert.rejects(port.notify(notification), /storage is away/);
  assert.deepEqual(
    hook.bodies.map((body) => JSON.parse(body)),
    [notification],
  );
});

test('of several channels that fail each is named, and one that may succeed later is worth another try', async () => {
  const gone = new PortFailure('rejected', 'webhook.http-410', 'the webhook answered 410');
  const later = sideBySide({ webhook: gone, queue: new Error('storage is away') });
  await assert.rejects(later.port.notify(notification), {
    code: 'notification.failed',
    kind: 'transient',
    message: 'webhook: the webhook answered 410; queue: storage is away',
  });
  const never = sideBySide({ webhook: gone, chat: gone });
  await assert.rejects(never.port.notify(notification), { code: 'notification.failed', kind: 'rejected' });
});

test('where nobody is to be told nothing fails', async () => {
  await sideBySide({}).port.notify(notification);
});
