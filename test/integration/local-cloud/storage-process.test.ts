import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { startStorage, type StorageReady } from '../../../cloud-fn/local/storage/storage.ts';

const MAIN = new URL('../../../cloud-fn/local/storage/main.ts', import.meta.url).pathname;
let dataDir = '';
const trusted = tls.getCACertificates('default');

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dacha-storage-'));
});
after(async () => {
  tls.setDefaultCACertificates(trusted);
  await rm(dataDir, { recursive: true, force: true });
});
const trust = async (ready: StorageReady) =>
  tls.setDefaultCACertificates([...trusted, await readFile(ready.caFile, 'utf8')]);

test('the containers and queues of the product exist once storage is ready', async () => {
  const storage = await startStorage({ dataDir });
  await trust(storage.ready);
  try {
    const { connectionString } = storage.ready;
    const containers = [];
    for await (const one of BlobServiceClient.fromConnectionString(connectionString).listContainers())
      containers.push(one.name);
    const queues = [];
    for await (const one of QueueServiceClient.fromConnectionString(connectionString).listQueues())
      queues.push(one.name);
    assert.deepEqual(containers.toSorted(), ['dacha-video', 'detected-dacha-video']);
    assert.deepEqual(queues.toSorted(), [
      'notifications',
      'video-processed',
      'video-processed-poison',
      'video-to-processing',
      'video-to-processing-poison',
    ]);
  } finally {
    await storage.stop();
  }
});

test('the account key is random, readable by its owner only, and opens nothing else', async () => {
  const file = join(dataDir, 'account.json');
  const { key } = JSON.parse(await readFile(file, 'utf8')) as { key: string };
  assert.equal(Buffer.from(key, 'base64').length, 64);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const storage = await startStorage({ dataDir });
  await trust(storage.ready);
  try {
    const wrong = storage.ready.connectionString.replace(key, Buffer.alloc(64).toString('base64'));
    const blobs = BlobServiceClient.fromConnectionString(wrong, { retryOptions: { maxTries: 1 } });
    await assert.rejects(blobs.getContainerClient('dacha-video').exists(), { statusCode: 403 });
  } finally {
    await storage.stop();
  }
});

test('a port taken by somebody else is replaced, and the log says so', async () => {
  const first = await startStorage({ dataDir });
  const port = Number(new URL(first.ready.blobEndpoint).port);
  await first.stop();
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  let log = '';
  const second = await startStorage({ dataDir, onLog: (line) => (log += line) });
  try {
    assert.notEqual(Number(new URL(second.ready.blobEndpoint).port), port);
    assert.match(log, /storage\.port-changed/);
  } finally {
    await second.stop();
    squatter.close();
  }
});

test('a second process on the same folder is refused, and the first one goes on', async () => {
  const storage = await startStorage({ dataDir });
  try {
    await assert.rejects(startStorage({ dataDir }), /another storage process runs on this folder/);
    await trust(storage.ready);
    const blobs = BlobServiceClient.fromConnectionString(storage.ready.connectionString);
    assert.equal(await blobs.getContainerClient('dacha-video').exists(), true);
  } finally {
    await storage.stop();
  }
});

test('bad flags end with code 2 and one sentence; storage ends with its parent', async () => {
  const bad = fork(MAIN, ['--nonsense'], { silent: true });
  assert.equal((await once(bad, 'exit'))[0], 2);
  const child: ChildProcess = fork(MAIN, ['--data', dataDir], { silent: true });
  await once(child, 'message');
  child.disconnect();
  assert.equal((await once(child, 'exit'))[0], 0);
});
