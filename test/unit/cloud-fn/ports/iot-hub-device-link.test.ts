import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Client } from 'azure-iothub';
import { createIotHubDeviceLink } from '../../../../cloud-fn/ports/iot-hub-device-link.ts';

/** The SDK's client as far as we use it; `send` does what the test says. */
class FakeClient extends EventEmitter {
  readonly sent: { deviceId: string; message: Record<string, unknown> }[] = [];
  readonly send: (deviceId: string, message: Record<string, unknown>) => Promise<void>;
  opened = 0;
  closed = 0;
  constructor(send: FakeClient['send']) {
    super();
    this.send = send;
  }
  setRetryPolicy(): void {}
  async open(): Promise<void> {
    this.opened += 1;
  }
  async close(): Promise<void> {
    this.closed += 1;
  }
}

function scene(...behaviours: FakeClient['send'][]) {
  const clients: FakeClient[] = [];
  const link = createIotHubDeviceLink({
    access: { hostName: 'hub.test' },
    deadlineMs: 100,
    createClient: async () => {
      const client = new FakeClient(behaviours[clients.length] ?? (async () => {}));
      clients.push(client);
      return client as unknown as Client;
    },
  });
  return { clients, link };
}
const message = { messageId: 'clip.1', body: { verdict: 'person' }, expiresMs: 1_800_000_000_000 };
const named = (name: string) => async () => {
  throw Object.assign(new Error('the hub said no'), { name });
};

test('one client serves many messages, and each message is complete', async () => {
  const seen: Record<string, unknown>[] = [];
  const { clients, link } = scene(async (_, sent) => void seen.push(sent));
  assert.equal(await link.send('house-1', message), 'taken');
  assert.equal(await link.send('house-1', message), 'taken');
  assert.deepEqual([clients.length, clients[0]?.opened], [1, 1]);
  const [first] = seen;
  assert.equal(first?.['messageId'], 'clip.1');
  assert.equal(first?.['ack'], 'full');
  assert.equal(Number(first?.['expiryTimeUtc']), 1_800_000_000_000);
  assert.equal(first?.['contentType'], 'application/json');
  assert.equal(String(first?.['data']), '{"verdict":"person"}');
});

test('what would be the same a second later is an answer, and the link stays open', async () => {
  const { clients, link } = scene(named('DeviceNotFoundError'));
  assert.equal(await link.send('house-1', message), 'device-unknown');
  assert.equal(await link.send('house-1', message), 'device-unknown');
  assert.equal(clients.length, 1);
  assert.equal(
    await scene(named('DeviceMaximumQueueDepthExceededError')).link.send('house-1', message),
    'device-queue-full',
  );
});

test('after an error, and after a call that is never answered, the next message opens a new link', async () => {
  const { clients, link } = scene(named('NotConnectedError'), () => new Promise(() => {}));
  await assert.rejects(link.send('house-1', message), { code: 'hub.send', kind: 'transient' });
  await assert.rejects(link.send('house-1', message), { code: 'hub.send-deadline', kind: 'transient' });
  assert.equal(await link.send('house-1', message), 'taken');
  assert.deepEqual(
    clients.map((client) => client.closed),
    [1, 1, 0],
  );
  await link.stop();
  assert.equal(clients[2]?.closed, 1);
});

test('a link that breaks while nobody sends does not end the process, and is opened again', async () => {
  const { clients, link } = scene();
  await link.send('house-1', message);
  clients[0]?.emit('error', new Error('reset'));
  clients[0]?.emit('disconnect', {});
  assert.equal(await link.send('house-1', message), 'taken');
  assert.equal(clients.length, 2);
});
