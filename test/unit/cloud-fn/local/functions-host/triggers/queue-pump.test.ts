/** The pump against real storage; functions are the test's. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import type { ChildService } from '../../../../../../cloud-fn/local/child-service.ts';
import { hostSettingsOf } from '../../../../../../cloud-fn/local/functions-host/host-json.ts';
import type { Invocation } from '../../../../../../cloud-fn/local/functions-host/triggers/invoke.ts';
import {
  queueServiceOf,
  resolveName,
} from '../../../../../../cloud-fn/local/functions-host/triggers/queue-connections.ts';
import { createQueuePump } from '../../../../../../cloud-fn/local/functions-host/triggers/queue-pump.ts';
import { startStorage, type StorageReady } from '../../../../../../cloud-fn/local/storage/storage.ts';
import { hosted, logOf, until } from '../host-bench.ts';

const trusted = tls.getCACertificates('default');
let dir = '';
let storage: ChildService<StorageReady>;
let queues: QueueServiceClient;
let names = 0;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-pump-'));
  storage = await startStorage({ dataDir: join(dir, 'storage') });
  tls.setDefaultCACertificates([...trusted, readFileSync(storage.ready.caFile, 'utf8')]);
  queues = QueueServiceClient.fromConnectionString(storage.ready.connectionString);
});
after(async () => {
  tls.setDefaultCACertificates(trusted);
  await storage.stop();
  rmSync(dir, { recursive: true, force: true });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const textsIn = async (queue: QueueClient) =>
  (await queue.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.map((one) => one.messageText);
const countOf = async (queue: QueueClient) => (await queue.getProperties()).approximateMessagesCount ?? 0;
const isEmpty = async (queue: QueueClient) => (await countOf(queue)) === 0;

interface Options {
  readonly settings?: Record<string, unknown>;
  readonly work?: (text: string, invocation: Invocation) => Promise<unknown>;
  /** Stands between pump and storage. */
  readonly service?: (real: QueueServiceClient) => QueueServiceClient;
  readonly create?: boolean;
}

/** A queue of its own, and a pump that feeds `work` from it. */
async function bench(
  t: TestContext,
  { settings = {}, work, service = (real) => real, create = true }: Options = {},
) {
  const queueName = `pump-${(names += 1)}`;
  const queue = queues.getQueueClient(queueName);
  const poison = queues.getQueueClient(`${queueName}-poison`);
  if (create) await queue.create();
  const book = logOf();
  const got: string[] = [];
  const invocations: Invocation[] = [];
  const pump = createQueuePump({
    target: hosted('OnMessage', 'queueTrigger'),
    service: service(queues),
    queueName,
    settings: hostSettingsOf({
      extensions: { queues: { messageEncoding: 'none', maxPollingInterval: '00:00:00.1', ...settings } },
    }).queues,
    invoke: async (_, invocation) => {
      const text = invocation.data.string ?? '';
      got.push(text);
      invocations.push(invocation);
      await work?.(text, invocation);
      return undefined;
    },
    log: book.log,
  });
  t.after(() => pump.stop());
  return { queue, poison, pump, book, got, invocations };
}

/** `change` stands before every request for messages. */
const receiving = (
  real: QueueServiceClient,
  change: (receive: () => Promise<unknown>) => Promise<unknown>,
): QueueServiceClient =>
  ({
    getQueueClient: (name: string) => {
      const client = real.getQueueClient(name);
      const receive = client.receiveMessages.bind(client);
      return Object.assign(client, { receiveMessages: (options: object) => change(() => receive(options)) });
    },
  }) as unknown as QueueServiceClient;

test('a message reaches the function with what is known of it, and is gone when it has succeeded', async (t) => {
  let there = -1;
  const { queue, pump, invocations } = await bench(t, {
    settings: { messageEncoding: 'base64' },
    work: async () => (there = await countOf(queue)),
  });
  const sent = await queue.sendMessage(base64('{"ключ":1}'));
  pump.start();
  await until('it is gone', async () => invocations.length > 0 && (await isEmpty(queue)));
  assert.equal(there, 1, 'not before');
  const [{ data, metadata }] = invocations as [Invocation];
  assert.deepEqual(data, { string: '{"ключ":1}' });
  const read = (name: string) => JSON.parse(metadata?.[name]?.json ?? 'null') as unknown;
  assert.deepEqual([read('QueueTrigger'), read('Id')], ['{"ключ":1}', sent.messageId]);
  assert.deepEqual(metadata?.['DequeueCount'], { int: 1 });
  assert.equal(Date.parse(String(read('InsertionTime'))), sent.insertedOn.getTime());
  assert.equal(Date.parse(String(read('ExpirationTime'))), sent.expiresOn.getTime());
  const invisibleMs = Date.parse(String(read('NextVisibleTime'))) - sent.insertedOn.getTime();
  assert.ok(invisibleMs >= 29_000, `${invisibleMs} ms`);
  assert.equal(typeof read('PopReceipt'), 'string');
});

test('a message whose function fails comes again, counted, and is aside as it was sent after its last try', async (t) => {
  const { queue, poison, pump, invocations, book } = await bench(t, {
    settings: { messageEncoding: 'base64', maxDequeueCount: 3 },
    work: () => Promise.reject(new Error('broken')),
  });
  const { messageId } = await queue.sendMessage(base64('bad'));
  pump.start();
  await until('it is aside', async () => book.events().includes('queue.poisoned'));
  assert.deepEqual(
    invocations.map(({ metadata }) => metadata?.['DequeueCount']?.int),
    [1, 2, 3],
  );
  assert.deepEqual([await textsIn(poison), await countOf(queue)], [[base64('bad')], 0]);
  const line = book.lines.find((one) => one['event'] === 'queue.poisoned') ?? {};
  assert.deepEqual([line['messageId'], line['because']], [messageId, 'broken']);
});

test('between a failure and the next try lies the time that is set', async (t) => {
  const { queue, pump, got, invocations } = await bench(t, {
    settings: { visibilityTimeout: '00:10:00' },
    work: () => Promise.reject(new Error('broken')),
  });
  await queue.sendMessage('later');
  await queue.sendMessage('also');
  pump.start();
  await until('both have failed', () => got.length === 2);
  await pump.stop();
  assert.deepEqual([invocations.length, await countOf(queue), await textsIn(queue)], [2, 2, []]);
});

test('what is not base64 is put aside at once, whole, and no function sees it', async (t) => {
  const { queue, poison, pump, got, book } = await bench(t, { settings: { messageEncoding: 'base64' } });
  await queue.sendMessage('{"plain":1}');
  await queue.sendMessage(base64('good').replace(/=+$/, ''));
  pump.start();
  await until('both are done', async () => isEmpty(queue));
  assert.deepEqual([await textsIn(poison), got], [['{"plain":1}'], ['good']]);
  assert.match(String(book.lines[0]?.['because']), /not base64/);
});

test('a message that cannot be put aside stays where it is', async (t) => {
  const { queue, poison, pump, got, book } = await bench(t, {
    settings: { maxDequeueCount: 1 },
    work: () => Promise.reject(new Error('broken')),
    service: (real) =>
      ({
        getQueueClient: (name: string) => {
          const client = real.getQueueClient(name);
          if (!name.endsWith('-poison')) return client;
          return Object.assign(client, { sendMessage: () => Promise.reject(new Error('storage is full')) });
        },
      }) as unknown as QueueServiceClient,
  });
  await queue.sendMessage('precious');
  pump.start();
  await until('it was tried', () => book.events().includes('queue.trouble'));
  await pump.stop();
  assert.deepEqual([got, await countOf(queue), await countOf(poison)], [['precious'], 1, 0]);
  assert.equal(book.lines[0]?.['message'], 'storage is full');
});

test('a failed message that cannot be given back is told, and comes again by itself', async (t) => {
  const { queue, pump, got, book } = await bench(t, {
    work: () => Promise.reject(new Error('broken')),
    service: (real) =>
      ({
        getQueueClient: (name: string) =>
          Object.assign(real.getQueueClient(name), {
            updateMessage: () => Promise.reject(new Error('storage is away')),
          }),
      }) as unknown as QueueServiceClient,
  });
  await queue.sendMessage('precious');
  pump.start();
  await until('it is told', () => book.events().includes('queue.trouble'));
  await pump.stop();
  assert.deepEqual([got, await countOf(queue)], [['precious'], 1]);
  assert.equal(book.lines[0]?.['message'], 'storage is away');
});

test('no more are worked on at once than a batch and the threshold, and no more fetched above the threshold', async (t) => {
  const gates: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const { queue, pump, got } = await bench(t, {
    settings: { batchSize: 2, newBatchThreshold: 1 },
    work: () => {
      running += 1;
      most = Math.max(most, running);
      return new Promise<void>((resolve) =>
        gates.push(() => {
          running -= 1;
          resolve();
        }),
      );
    },
  });
  for (let n = 0; n < 8; n += 1) await queue.sendMessage(String(n));
  pump.start();
  await until('two are in work', () => running === 2);
  gates.shift()?.();
  await until('the next two are in work', () => running === 3);
  gates.shift()?.();
  gates.shift()?.();
  await until('and the next', () => running === 3 && got.length === 6);
  await until('all have been let go', () => {
    gates.shift()?.();
    return got.length === 8 && running === 0;
  });
  await until('all are done', () => isEmpty(queue));
  assert.deepEqual([most, new Set(got).size], [3, 8]);
});

test('a message stays invisible while it is worked on: its lease is renewed, and ends with it', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const held = Promise.withResolvers<void>();
  const { queue, pump, invocations, book } = await bench(t, { work: () => held.promise });
  const { messageId } = await queue.sendMessage('long');
  pump.start();
  await until('it is in work', () => invocations.length === 1);
  const receipt = JSON.parse(invocations[0]?.metadata?.['PopReceipt']?.json ?? '') as string;
  t.mock.timers.tick(9_999);
  // Whoever holds the receipt may do this: the lease has not been renewed yet.
  const mine = await queue.updateMessage(messageId, receipt, undefined, 30);
  assert.ok(mine.popReceipt);
  t.mock.timers.tick(1);
  await until('it tried to renew', () => book.events().includes('queue.lease-lost'));
  held.resolve();
  await until('it could not be deleted: somebody else has it', () => book.events().includes('queue.trouble'));
  assert.equal(await countOf(queue), 1);
});

test('a renewed lease is the one the message is deleted with', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const held = Promise.withResolvers<void>();
  const { queue, pump, invocations, book } = await bench(t, { work: () => held.promise });
  await queue.sendMessage('long');
  pump.start();
  await until('it is in work', () => invocations.length === 1);
  t.mock.timers.tick(10_000);
  held.resolve();
  await until('it is gone', () => isEmpty(queue));
  await pump.stop();
  assert.deepEqual(book.lines, []);
  t.mock.timers.tick(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(book.lines, [], 'and is renewed no more');
});

test('a queue that is not there yet is waited for in silence', async (t) => {
  let asked = 0;
  const { queue, pump, got, book } = await bench(t, {
    create: false,
    service: (real) => receiving(real, (receive) => ((asked += 1), receive())),
  });
  pump.start();
  await until('it was asked for', () => asked >= 3);
  await queue.create();
  await queue.sendMessage('first');
  await until('it has arrived', async () => got.length === 1 && (await isEmpty(queue)));
  assert.deepEqual(book.lines, []);
});

test('storage that is away is told, and asked again', async (t) => {
  let away = true;
  const { queue, pump, got, book } = await bench(t, {
    service: (real) =>
      receiving(real, (receive) => (away ? Promise.reject(new Error('connection refused')) : receive())),
  });
  await queue.sendMessage('kept');
  pump.start();
  await until('it is told', () => book.lines.length > 0);
  const { event, message } = book.lines[0] ?? {};
  assert.deepEqual([event, message], ['queue.unreachable', 'connection refused']);
  away = false;
  await until('it has arrived', () => got.length === 1);
});

test('stopped, it takes no more, and waits for what is in work', async (t) => {
  const held = Promise.withResolvers<void>();
  const { queue, pump, got, book } = await bench(t, { work: () => held.promise });
  await queue.sendMessage('one');
  pump.start();
  await until('it is in work', () => got.length === 1);
  let isStopped = false;
  const stopping = pump.stop().then(() => (isStopped = true));
  await queue.sendMessage('two');
  assert.equal(isStopped, false);
  held.resolve();
  await stopping;
  assert.deepEqual([got, await textsIn(queue), book.lines], [['one'], ['two'], []]);
});

test('a trigger finds its queue service as on Azure; what is missing is named', async () => {
  const { connectionString } = storage.ready;
  const found = (settings: Record<string, string>) => queueServiceOf('Work', settings).url;
  assert.equal(found({ Work: connectionString }), queues.url);
  assert.equal(found({ AzureWebJobsWork: connectionString }), queues.url);
  const uri = 'https://account.queue.core.windows.net/';
  assert.equal(found({ Work__queueServiceUri: uri }), uri);
  assert.equal(found({ AzureWebJobsWork__queueServiceUri: uri }), uri);
  assert.throws(() => found({ Other: 'x' }), /setting "Work" \(or "Work__queueServiceUri"\)/);
  assert.equal(resolveName('a-%X%-%Y%', { X: '1', Y: '2' }), 'a-1-2');
  assert.equal(resolveName('plain', {}), 'plain');
  assert.throws(() => resolveName('a-%X%', {}), /The app setting "X" in "a-%X%" is not set/);
});
