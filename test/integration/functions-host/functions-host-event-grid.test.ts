import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { startChildService, type ChildService } from '../../../cloud-fn/local/child-service.ts';
import { startStorage, type StorageReady } from '../../../cloud-fn/local/storage/storage.ts';

const path = (relative: string) => new URL(relative, import.meta.url).pathname;
const trusted = tls.getCACertificates('default');

interface HostReady {
  readonly port: number;
  readonly keysFile: string;
  readonly eventGridUrl: string;
}

let dir = '';
let storage: ChildService<StorageReady>;
let host: ChildService<HostReady>;
let bridge: ChildService<object>;
let bridgeLog = '';
let clips: ContainerClient;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dacha-bridge-'));
  storage = await startStorage({ dataDir: join(dir, 'storage') });
  tls.setDefaultCACertificates([...trusted, await readFile(storage.ready.caFile, 'utf8')]);
  clips = BlobServiceClient.fromConnectionString(storage.ready.connectionString).getContainerClient(
    'dacha-video',
  );
  host = await startHost('0');
  bridge = await startBridge();
});
after(async () => {
  tls.setDefaultCACertificates(trusted);
  await bridge.stop();
  await host.stop();
  await storage.stop();
  await rm(dir, { recursive: true, force: true });
});

const startHost = (port: string) =>
  startChildService<HostReady>({
    main: path('../../../cloud-fn/local/functions-host/main.ts'),
    args: ['--app', path('../../fakes/apps/durable-sample.ts'), '--data', join(dir, 'host'), '--port', port],
    env: { ...process.env, SAMPLE_EFFECTS_FILE: join(dir, 'effects') },
  });
const startBridge = () =>
  startChildService<object>({
    main: path('../../../cloud-fn/local/event-grid/main.ts'),
    args: [
      ...['--data', join(dir, 'bridge'), '--endpoint', host.ready.eventGridUrl],
      ...['--keys', host.ready.keysFile],
    ],
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: storage.ready.caFile,
      DACHA_STORAGE_CONNECTION: storage.ready.connectionString,
    },
    onLog: (text) => {
      bridgeLog += text;
    },
  });
const listings = () => bridgeLog.split('"container.listed"').length - 1;
/** Subjects of the clips the app has started an orchestration for. */
const asked = async () => {
  const text = await readFile(join(dir, 'effects'), 'utf8').catch(() => '');
  return [...text.matchAll(/^Echo \{"ask":"([^"]+)"\}$/gm)].map(
    (found) => found[1]?.split('/blobs/')[1] ?? '',
  );
};
async function untilAsked(names: readonly string[]) {
  const deadline = performance.now() + 180_000;
  for (;;) {
    const got = await asked();
    if (names.every((name) => got.includes(name))) return got;
    if (performance.now() > deadline)
      throw new Error(`not within three minutes: ${names.join()}; got ${got.join()}`);
    await delay(100);
  }
}

test('a blob put in one piece and one of blocks both start an orchestration', async () => {
  await clips.getBlockBlobClient('house/yard/put.mp4').upload('clip', 4);
  const blocks = clips.getBlockBlobClient('house/yard/дача 1.mp4');
  await blocks.stageBlock('YQ==', 'clip', 4);
  await blocks.commitBlockList(['YQ==']);
  await untilAsked(['house/yard/put.mp4', 'house/yard/дача 1.mp4']);
});

test('tags set later start nothing again', async () => {
  await clips.getBlockBlobClient('house/yard/put.mp4').setTags({ verdict: 'nothing' });
  await clips.getBlockBlobClient('house/yard/marker.mp4').upload('clip', 4);
  const got = await untilAsked(['house/yard/marker.mp4']);
  assert.equal(got.filter((one) => one === 'house/yard/put.mp4').length, 1);
});

test('blobs that arrive while the bridge is killed, or while the host is away, are told afterwards', async () => {
  await bridge.kill();
  await clips.getBlockBlobClient('house/yard/while-killed.mp4').upload('clip', 4);
  bridge = await startBridge();
  await untilAsked(['house/yard/while-killed.mp4']);

  const { port } = host.ready;
  await host.kill();
  await clips.getBlockBlobClient('house/yard/while-away.mp4').upload('clip', 4);
  await bridge.kill();
  bridge = await startBridge();
  host = await startHost(String(port));
  await untilAsked(['house/yard/while-away.mp4']);
});

test('the container is listed once: after that storage tells, however often either of them is killed', async () => {
  const before = listings();
  assert.equal(before, 1);
  const name = (n: number) => `house/yard/many-${n}.mp4`;
  for (let n = 0; n < 20; n++) await clips.getBlockBlobClient(name(n)).upload('clip', 4);
  await storage.kill();
  storage = await startStorage({ dataDir: join(dir, 'storage') });
  await clips.getBlockBlobClient(name(20)).upload('clip', 4);
  await bridge.kill();
  await clips.getBlockBlobClient(name(21)).upload('clip', 4);
  bridge = await startBridge();
  await untilAsked(Array.from({ length: 22 }, (_, n) => name(n)));
  assert.equal(listings(), before);
});

test('a bridge that comes to another storage folder tells what lies there already', async () => {
  await bridge.kill();
  await storage.kill();
  storage = await startStorage({ dataDir: join(dir, 'other-storage') });
  tls.setDefaultCACertificates([...trusted, await readFile(storage.ready.caFile, 'utf8')]);
  clips = BlobServiceClient.fromConnectionString(storage.ready.connectionString).getContainerClient(
    'dacha-video',
  );
  await clips.getBlockBlobClient('house/yard/was-there.mp4').upload('clip', 4);
  await clips.getBlockBlobClient('house/yard/put.mp4').upload('another', 7);
  bridge = await startBridge();
  const got = await untilAsked(['house/yard/was-there.mp4']);
  assert.ok(got.length > 0);
  await clips.getBlockBlobClient('house/yard/next.mp4').upload('clip', 4);
  await untilAsked(['house/yard/next.mp4']);
});
