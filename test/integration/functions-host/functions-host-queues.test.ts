import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { QueueServiceClient } from '@azure/storage-queue';
import { startChildService, type ChildService } from '../../../cloud-fn/local/child-service.ts';
import { startStorage, type StorageReady } from '../../../cloud-fn/local/storage/storage.ts';

const path = (relative: string) => new URL(relative, import.meta.url).pathname;
const MAIN = path('../../../cloud-fn/local/functions-host/main.ts');
const trusted = tls.getCACertificates('default');

interface Note {
  readonly message?: { n?: number; failUntil?: number } | string;
  readonly id?: string;
  readonly dequeueCount?: number;
  readonly insertionTime?: string;
  readonly hasReceipt?: boolean;
  readonly timer?: boolean;
}

let dir = '';
let storage: ChildService<StorageReady>;
let queues: QueueServiceClient;
let hosts = 0;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dacha-queues-'));
  storage = await startStorage({ dataDir: join(dir, 'storage') });
  tls.setDefaultCACertificates([...trusted, await readFile(storage.ready.caFile, 'utf8')]);
  queues = QueueServiceClient.fromConnectionString(storage.ready.connectionString);
});
after(async () => {
  tls.setDefaultCACertificates(trusted);
  await storage.stop();
  await rm(dir, { recursive: true, force: true });
});

const appArgs = (data: string) => [
  ...['--app', path('../../fakes/apps/queue-sample.ts'), '--data', join(dir, data), '--port', '0'],
];

/** A host on a queue of its own. */
async function startHost(messageEncoding: string, visibilityTimeout: string) {
  hosts += 1;
  const name = `work-${hosts}`;
  const queue = queues.getQueueClient(name);
  await queue.create();
  const hostJson = join(dir, `${name}.json`);
  const effects = join(dir, `${name}.effects`);
  await writeFile(effects, '');
  await writeFile(
    hostJson,
    JSON.stringify({
      extensions: {
        queues: {
          messageEncoding,
          visibilityTimeout,
          maxDequeueCount: 5,
          maxPollingInterval: '00:00:00.300',
        },
      },
    }),
  );
  const boot = () =>
    startChildService({
      main: MAIN,
      args: [...appArgs(name), '--host-json', hostJson],
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: storage.ready.caFile,
        SampleStorage: storage.ready.connectionString,
        SAMPLE_QUEUE: name,
        SAMPLE_EFFECTS_FILE: effects,
      },
    });
  const notes = async () =>
    (await readFile(effects, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Note);
  return { host: await boot(), boot, queue, notes, poison: queues.getQueueClient(`${name}-poison`) };
}

async function until(what: string, holds: () => Promise<boolean>) {
  const deadline = performance.now() + 180_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within three minutes: ${what}`);
    await delay(50);
  }
}
const base64 = (text: string) => Buffer.from(text).toString('base64');
const isEmpty = async (queue: { getProperties(): Promise<{ approximateMessagesCount?: number }> }) =>
  (await queue.getProperties()).approximateMessagesCount === 0;

test('a base64 message reaches the function decoded, with its metadata, and is deleted', async () => {
  const { host, queue, notes } = await startHost('base64', '00:00:00');
  try {
    await queue.sendMessage(base64('{"n":1}'));
    await until('the message is done', () => isEmpty(queue));
    const [note] = (await notes()).filter((one) => one.message !== undefined);
    assert.deepEqual(note?.message, { n: 1 });
    assert.equal(note.dequeueCount, 1);
    assert.ok(note.id !== undefined && note.hasReceipt === true);
    assert.ok(!Number.isNaN(Date.parse(note.insertionTime ?? '')));
  } finally {
    await host.stop();
  }
});

test('a failed message comes again after the visibility timeout, counted', async () => {
  const { host, queue, notes } = await startHost('base64', '00:00:01');
  try {
    await queue.sendMessage(base64('{"failUntil":2}'));
    await until('the message is done', () => isEmpty(queue));
    const tries = (await notes()).filter((one) => one.message !== undefined);
    assert.deepEqual(
      tries.map((one) => one.dequeueCount),
      [1, 2],
    );
  } finally {
    await host.stop();
  }
});

test('after five tries a message is in the poison queue as it was sent; one that is not base64 at once', async () => {
  const { host, queue, notes, poison } = await startHost('base64', '00:00:00');
  try {
    await queue.sendMessage(base64('{"failUntil":99}'));
    await until('it is poisoned', async () => (await poison.exists()) && !(await isEmpty(poison)));
    const [dead] = (await poison.receiveMessages()).receivedMessageItems;
    assert.equal(dead?.messageText, base64('{"failUntil":99}'));
    await poison.deleteMessage(dead.messageId, dead.popReceipt);
    assert.equal((await notes()).filter((one) => one.message !== undefined).length, 5);
    await queue.sendMessage('{"plain":"json"}');
    await until('it is poisoned', async () => !(await isEmpty(poison)));
    assert.equal((await notes()).filter((one) => one.message !== undefined).length, 5, 'never called for it');
    // It is put there before it is taken away here: nothing may be lost in between.
    await until('it has left the queue', () => isEmpty(queue));
  } finally {
    await host.stop();
  }
});

test('without encoding a message arrives as it is, and many are worked on', async () => {
  const { host, queue, notes } = await startHost('none', '00:00:00');
  try {
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => queue.sendMessage(n === 0 ? 'plain text' : `{"n":${n}}`)),
    );
    await until('all are done', () => isEmpty(queue));
    const got = (await notes()).flatMap(({ message }) => (message === undefined ? [] : [message]));
    assert.equal(new Set(got.map((one) => JSON.stringify(one))).size, 40);
    assert.ok(got.includes('plain text'));
  } finally {
    await host.stop();
  }
});

test('a message in work when the host is killed is worked on again after a restart', async () => {
  const first = await startHost('none', '00:00:00');
  const { queue } = first;
  await first.host.stop();
  await queue.sendMessage('{"n":7}');
  // What a killed host leaves behind: a message that somebody has taken and not settled.
  const [taken] = (await queue.receiveMessages({ visibilityTimeout: 1 })).receivedMessageItems;
  assert.equal(taken?.messageText, '{"n":7}');
  const host = await first.boot();
  try {
    await until('it is done', () => isEmpty(queue));
    const tries = (await first.notes()).filter((one) => one.message !== undefined);
    assert.equal(tries.at(-1)?.dequeueCount, 2);
  } finally {
    await host.stop();
  }
});

test('a timer trigger fires every second, and a missing app setting is named', async () => {
  const { host, notes } = await startHost('none', '00:00:00');
  try {
    await until(
      'it fired twice',
      async () => (await notes()).filter((one) => one.timer !== undefined).length >= 2,
    );
  } finally {
    await host.stop();
  }
  await assert.rejects(
    startChildService({
      main: MAIN,
      args: appArgs('none'),
      env: { ...process.env, SAMPLE_QUEUE: 'q' },
    }),
    /The app setting .*SampleStorage.* is not set/,
  );
});
