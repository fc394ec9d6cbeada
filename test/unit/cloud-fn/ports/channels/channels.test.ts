import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { HttpChannelDeps } from '../../../../../cloud-fn/ports/channels/http-channel.ts';
import { createNtfy } from '../../../../../cloud-fn/ports/channels/ntfy.ts';
import { createTelegram } from '../../../../../cloud-fn/ports/channels/telegram.ts';
import { createNotificationWebhook } from '../../../../../cloud-fn/ports/channels/webhook.ts';
import type { Notification, NotificationChannel } from '../../../../../cloud-fn/ports/notification.ts';
import { createFakeStorage } from '../../../../fakes/cloud/storage-port.ts';
import { type Answer, breaks, hangs, says, startProvider } from './provider.ts';

const SECRET = 'do-not-tell-this-to-anybody';
const TOKEN = `12345:${SECRET}`;
const PICTURE = Buffer.from([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);

const notification = (changes: Partial<Notification> = {}): Notification => ({
  id: 'clip-1.1.person-seen',
  kind: 'person-seen',
  at: '2026-12-01T03:00:00Z',
  text: { en: 'A person was seen: gate (91 %).', uk: 'Помічено людину: gate (91 %).' },
  clip: { clipId: 'c', blobName: 'dacha-video/c.mp4', deviceId: null, cameraId: 'gate' },
  verdict: 'person',
  confidence: 0.91,
  bestFrame: null,
  ...changes,
});

type Deps = HttpChannelDeps & { readonly storage: ReturnType<typeof createFakeStorage>['port'] };
const CHANNELS: Readonly<Record<string, (url: string, deps: Deps) => NotificationChannel>> = {
  webhook: (url, deps) =>
    createNotificationWebhook({ ...deps, address: `${url}/hook?token=${SECRET}`, secret: SECRET }),
  ntfy: (url, deps) => createNtfy({ ...deps, topic: `${url}/our-house`, token: SECRET, language: 'uk' }),
  telegram: (url, deps) =>
    createTelegram({ ...deps, api: url, token: TOKEN, chat: '-100200', language: 'uk' }),
};

async function scene(t: TestContext, name: string, answers: readonly Answer[] = []) {
  const provider = await startProvider(t, answers);
  const storage = createFakeStorage();
  const sleeps: number[] = [];
  const logged: string[] = [];
  const log = {
    info: () => undefined,
    warn: (fields: object, message: string) => void logged.push(JSON.stringify(fields) + message),
  };
  const clock = { sleep: async (ms: number) => void sleeps.push(ms), nowMs: () => 1_764_558_000_000 };
  const channel = CHANNELS[name]!(provider.url, { clock, log, storage: storage.port, deadlineMs: 500 });
  return { ...provider, channel, sleeps, logged, storage };
}

for (const name of Object.keys(CHANNELS)) {
  test(`${name}: what is taken at once is sent once`, async (t) => {
    const { channel, received } = await scene(t, name);
    await channel.notify(notification());
    assert.equal(received.length, 1);
  });

  for (const status of [400, 401, 403, 404, 410])
    test(`${name}: ${status} is final, and is not sent again`, async (t) => {
      const { channel, received } = await scene(t, name, [says(status)]);
      await assert.rejects(channel.notify(notification()), {
        kind: 'rejected',
        code: `${name}.http-${status}`,
      });
      assert.equal(received.length, 1);
    });

  test(`${name}: who asks for patience gets it, and the message follows`, async (t) => {
    const { channel, received, sleeps } = await scene(t, name, [says(429, {}, { 'retry-after': '7' })]);
    await channel.notify(notification());
    assert.deepEqual([received.length, sleeps], [2, [7_000]]);
  });

  test(`${name}: who asks for more patience than an activity has is left to a later try`, async (t) => {
    const { channel, received, sleeps } = await scene(t, name, [says(429, {}, { 'retry-after': '900' })]);
    await assert.rejects(channel.notify(notification()), { kind: 'transient', code: `${name}.http-429` });
    assert.deepEqual([received.length, sleeps], [1, []]);
  });

  for (const [what, answer, code] of [
    ['500', says(500), `${name}.http-500`],
    ['a connection that breaks', breaks, `${name}.unreachable`],
  ] as const) {
    test(`${name}: ${what} is tried again, three times in all`, async (t) => {
      const { channel, received, sleeps } = await scene(t, name, [answer, answer, answer]);
      await assert.rejects(channel.notify(notification()), { kind: 'transient', code });
      assert.deepEqual([received.length, sleeps], [3, [1_000, 2_000]]);
    });

    test(`${name}: after ${what} once it is delivered`, async (t) => {
      const { channel, received } = await scene(t, name, [answer]);
      await channel.notify(notification());
      assert.equal(received.length, 2);
    });
  }

  test(`${name}: what hangs may have arrived, and is not sent again by itself`, async (t) => {
    const { channel, received } = await scene(t, name, [hangs]);
    await assert.rejects(channel.notify(notification()), { kind: 'transient', code: `${name}.no-answer` });
    assert.equal(received.length, 1);
  });

  test(`${name}: a redirection is not followed with our token`, async (t) => {
    const { channel, received } = await scene(t, name, [
      (response) => response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(),
      says(400),
    ]);
    await assert.rejects(channel.notify(notification()));
    assert.equal(received.length, 2);
  });

  test(`${name}: no error and no log has the token`, async (t) => {
    for (const answer of [says(401, { description: SECRET }), says(500), breaks, hangs]) {
      const { channel, logged } = await scene(t, name, [answer, answer, answer]);
      await assert.rejects(channel.notify(notification()), (error: Error) => {
        assert.ok(!`${error.message}${error.stack}${logged.join('')}`.includes(SECRET));
        return true;
      });
    }
  });
}

test('a signed webhook can be checked by its reader, as Standard Webhooks says', async (t) => {
  const { channel, received } = await scene(t, 'webhook');
  await channel.notify(notification());
  const [first] = received;
  assert.ok(first);
  const { headers, body } = first;
  assert.equal(headers['webhook-id'], 'clip-1.1.person-seen');
  assert.equal(headers['idempotency-key'], 'clip-1.1.person-seen');
  assert.equal(headers['webhook-timestamp'], '1764558000');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body.toString('utf8')}`;
  const signature = createHmac('sha256', SECRET).update(signed).digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${signature}`);
  assert.deepEqual(JSON.parse(body.toString('utf8')), notification());
});

test('a secret that tools made is taken as they made it', async (t) => {
  const { url, received } = await startProvider(t);
  const clock = { sleep: async () => undefined, nowMs: () => 0 };
  const log = { info: () => undefined, warn: () => undefined };
  const secret = `whsec_${Buffer.from('key').toString('base64')}`;
  await createNotificationWebhook({ address: url, secret, clock, log }).notify(notification());
  const body = received[0]?.body.toString('utf8') ?? '';
  const wanted = createHmac('sha256', 'key').update(`clip-1.1.person-seen.0.${body}`).digest('base64');
  assert.equal(received[0]?.headers['webhook-signature'], `v1,${wanted}`);
});

test('ntfy: a person rings, and Ukrainian text arrives whole', async (t) => {
  const { channel, received } = await scene(t, 'ntfy');
  await channel.notify(notification());
  await channel.notify(notification({ kind: 'analysis-failed' }));
  const [person, failed] = received.map(
    ({ body }) => JSON.parse(body.toString('utf8')) as Record<string, unknown>,
  );
  assert.equal(received[0]?.path, '/');
  assert.equal(received[0]?.headers.authorization, `Bearer ${SECRET}`);
  assert.deepEqual(
    [person?.['topic'], person?.['message'], person?.['priority'], failed?.['priority']],
    ['our-house', 'Помічено людину: gate (91 %).', 5, 3],
  );
});

test('Telegram: a text without a picture; a person rings, a failure does not', async (t) => {
  const { channel, received } = await scene(t, 'telegram');
  await channel.notify(notification());
  await channel.notify(notification({ kind: 'analysis-failed' }));
  assert.deepEqual(
    received.map(({ path }) => path),
    [`/bot${TOKEN}/sendMessage`, `/bot${TOKEN}/sendMessage`],
  );
  const [person, failed] = received.map(({ body }) => JSON.parse(body.toString('utf8')) as unknown);
  assert.deepEqual(person, {
    chat_id: '-100200',
    text: 'Помічено людину: gate (91 %).',
    disable_notification: false,
  });
  assert.equal((failed as { disable_notification: boolean }).disable_notification, true);
});

test('Telegram: the best picture goes with its text; one that is gone keeps nothing back', async (t) => {
  const { channel, received, storage } = await scene(t, 'telegram');
  await storage.port.writeBlob(
    { container: 'dacha-video', name: 'house/c.best.jpg' },
    { bytes: PICTURE, contentType: 'image/jpeg' },
  );
  await channel.notify(notification({ bestFrame: 'house/c.best.jpg' }));
  await channel.notify(notification({ bestFrame: 'house/gone.jpg' }));
  assert.equal(received[0]?.path, `/bot${TOKEN}/sendPhoto`);
  const form = await new Response(new Uint8Array(received[0].body), {
    headers: { 'content-type': received[0].headers['content-type'] ?? '' },
  }).formData();
  assert.equal(form.get('caption'), 'Помічено людину: gate (91 %).');
  const photo = form.get('photo');
  assert.ok(photo instanceof File);
  assert.deepEqual(Buffer.from(await photo.arrayBuffer()), PICTURE);
  assert.equal(received[1]?.path, `/bot${TOKEN}/sendMessage`);
});

test('Telegram: patience that it asks for in its body is kept', async (t) => {
  const { channel, sleeps } = await scene(t, 'telegram', [
    says(429, { ok: false, parameters: { retry_after: 3 } }),
  ]);
  await channel.notify(notification());
  assert.deepEqual(sleeps, [3_000]);
});
