import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createNotification, type Notification } from '../../../../cloud-fn/ports/notification.ts';
import { createFakeStorage } from '../../../fakes/storage-port.ts';

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
  const port = createNotification({
    storage: storage.port,
    clock: { sleep: async (ms) => void sleeps.push(ms) },
    log: { info: () => {}, warn: (fields, message) => logged.push(JSON.stringify(fields) + message) },
    webhook: webhookUrl,
    webhookDeadlineMs: 30_000,
  });
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
    const port = createNotification({
      storage: createFakeStorage().port,
      clock: { sleep: async () => {} },
      log: { info: () => {}, warn: () => {} },
      webhook: url,
      webhookDeadlineMs: 50,
    });
    await assert.rejects(port.notify(notification), (error: Error) => {
      assert.match(error.message, /did not answer/);
      assert.ok(!error.message.includes('token'));
      return true;
    });
  }
});
