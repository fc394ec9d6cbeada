/** The app as the host runs it, with real storage; the test is the worker. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  askBlobName,
  decodeProcessingRequest,
  encodeQueueMessage,
  type Verdict,
} from '@dachawatch/contracts';
import { instanceIdOf } from '../../../../cloud-fn/functions/clip-of-blob.ts';
import type { ChildService } from '../../../../cloud-fn/local/child-service.ts';
import { systemHostClock } from '../../../../cloud-fn/local/functions-host/clock.ts';
import { loadApp } from '../../../../cloud-fn/local/functions-host/core-api.ts';
import {
  createFunctionsHost,
  type FunctionsHost,
} from '../../../../cloud-fn/local/functions-host/functions-host.ts';
import { readHostSettings } from '../../../../cloud-fn/local/functions-host/host-json.ts';
import { startStorage, type StorageReady } from '../../../../cloud-fn/local/storage/storage.ts';
import { MAX_DOCUMENT_BYTES } from '../../../../cloud-fn/ports/storage.ts';
import { details, detection, result } from '../orchestrators/clip-samples.ts';

const path = (relative: string) => new URL(relative, import.meta.url).pathname;
const trusted = tls.getCACertificates('default');
const SETTINGS = [
  'DACHA_STORAGE_CONNECTION',
  'DACHA_COMPUTE',
  'DACHA_WORKER_ENTRY',
  'DACHA_ANALYSIS_WAIT_MS',
];

let dir = '';
let storage: ChildService<StorageReady>;
let host: FunctionsHost;
let base = '';
let blobs: BlobServiceClient;
let queues: QueueServiceClient;
const app = await loadApp(path('../../../../cloud-fn/functions/app.ts'));
const lines: Readonly<Record<string, unknown>>[] = [];

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-app-'));
  storage = await startStorage({ dataDir: join(dir, 'storage') });
  const { caFile, connectionString } = storage.ready;
  tls.setDefaultCACertificates([...trusted, readFileSync(caFile, 'utf8')]);
  blobs = BlobServiceClient.fromConnectionString(connectionString);
  queues = QueueServiceClient.fromConnectionString(connectionString);
  writeFileSync(
    join(dir, 'worker.mjs'),
    `import { writeFileSync } from 'node:fs';
     process.on('disconnect', () => process.exit(0));
     writeFileSync(${JSON.stringify(join(dir, 'worker.pid'))}, String(process.pid));
     process.send({ ready: true });`,
  );
  process.env['DACHA_STORAGE_CONNECTION'] = connectionString;
  process.env['DACHA_COMPUTE'] = 'local-process';
  process.env['DACHA_WORKER_ENTRY'] = join(dir, 'worker.mjs');
  process.env['DACHA_ANALYSIS_WAIT_MS'] = '600000';
  await boot();
});
async function boot() {
  const settings = readHostSettings(path('../../../../cloud-fn/host.json'));
  host = createFunctionsHost({
    app,
    dataDir: join(dir, 'functions'),
    hostSettings: {
      ...settings,
      queues: { ...settings.queues, maxPollingIntervalMs: 100, visibilityTimeoutMs: 0 },
    },
    appSettings: process.env,
    clock: systemHostClock,
    log: (entry) => void lines.push(entry),
  });
  base = `http://127.0.0.1:${await host.start(0)}`;
}
after(async () => {
  await host.stop();
  for (const name of SETTINGS) delete process.env[name];
  tls.setDefaultCACertificates(trusted);
  await storage.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function found<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + 120_000; ; await delay(30)) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadline) assert.fail(`not within two minutes: ${what}`);
  }
}
async function clip(number: number) {
  const name = `house-1/gate/2026/11/21/01JD3V7Q8ZK4M6N8P0R2S4T${String(number).padStart(3, '0')}.mp4`;
  const blob = blobs.getContainerClient('dacha-video').getBlockBlobClient(name);
  await blob.upload('clip', 4);
  return { name, url: blob.url, id: instanceIdOf(name) };
}
const announce = (name: string, url: string) =>
  fetch(`${base}/runtime/webhooks/eventgrid?functionName=OnVideoBlobCreated&code=${host.keys.eventGrid}`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification' },
    body: JSON.stringify([
      {
        id: '1',
        topic: '/t',
        subject: `/blobServices/default/containers/dacha-video/blobs/${name}`,
        eventType: 'Microsoft.Storage.BlobCreated',
        eventTime: '2026-11-21T12:00:00Z',
        data: { contentLength: 4, url },
      },
    ]),
  });
const startByHand = (body: object, key = host.keys.function) =>
  fetch(`${base}/api/orchestrators/video_orchestrator?code=${key}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
const nextRequest = () =>
  found('a request', async () => {
    const queue = queues.getQueueClient('video-to-processing');
    const [message] = (await queue.receiveMessages()).receivedMessageItems;
    if (!message) return undefined;
    await queue.deleteMessage(message.messageId, message.popReceipt);
    return decodeProcessingRequest(message.messageText);
  });
const logged = () =>
  lines.filter((line) => line['event'] === 'function.log').map((line) => String(line['message']));
const outputOf = (id: string) =>
  found(`${id} ends`, async () => {
    const row = host.history.instance(id);
    return row?.status === 'Completed' ? (JSON.parse(row.output ?? 'null') as { ok: boolean }) : undefined;
  });

test('a committed clip is asked about once, and the answer of the worker becomes its verdict beside it', async () => {
  const { name, url, id } = await clip(1);
  assert.equal((await announce(name, url)).status, 202);
  assert.equal((await announce(name, url)).status, 202);
  const request = await nextRequest();
  assert.deepEqual([request.instance_id, request.blobName], [id, `dacha-video/${name}`]);
  await host.atRest();
  assert.equal(
    (await queues.getQueueClient('video-to-processing').getProperties()).approximateMessagesCount,
    0,
  );
  const input = JSON.parse(host.history.instance(id)?.input ?? '') as { waitMs: number; revision: number };
  assert.deepEqual([input.waitMs, input.revision], [600_000, 1]);

  const answer = result(details([detection('dog')]), { instance_id: id, blobName: `dacha-video/${name}` });
  await queues.getQueueClient('video-processed').sendMessage(encodeQueueMessage(answer));
  const { ok } = await outputOf(id);
  assert.equal(ok, false, 'there is no hub to tell the house through');
  const stored = blobs.getContainerClient('dacha-video').getBlobClient(name.replace('.mp4', '.verdict.json'));
  const verdict = JSON.parse((await stored.downloadToBuffer()).toString('utf8')) as Verdict;
  assert.deepEqual([verdict.verdict, verdict.decision, verdict.revision], ['animal', 'recorded', 1]);
  assert.deepEqual(
    logged().filter((line) => line.startsWith(id)),
    [`${id} started: dacha-video/${name}`, `${id} already-started: dacha-video/${name}`],
  );
  assert.ok(logged().includes('video-processed: raised'));
});

test('what is no clip starts nothing and is accepted', async () => {
  const before = lines.length;
  assert.equal((await announce('readme.txt', 'https://storage.test/dacha-video/readme.txt')).status, 202);
  const said = lines.slice(before).filter((line) => line['event'] === 'function.log');
  assert.deepEqual(
    said.map(({ message }) => message),
    ['ignored /blobServices/default/containers/dacha-video/blobs/readme.txt'],
  );
});

test('a house that asks again has its clip analysed, if there is still such a clip', async () => {
  const { name, url, id } = await clip(8);
  const ask = (clipName: string) => announce(askBlobName(clipName), url.replace('.mp4', '.ask.json'));
  assert.equal((await ask(name.replace('T008', 'T009'))).status, 202);
  assert.equal(host.history.instance(instanceIdOf(name.replace('T008', 'T009'))), undefined);
  assert.equal((await ask(name)).status, 202);
  const request = await nextRequest();
  assert.deepEqual([request.instance_id, request.blobUrl], [id, url]);
  assert.equal((await ask(name)).status, 202);
  await host.atRest();
  assert.ok(logged().includes(`${id} already-started: dacha-video/${name}`));
});

test('a start by hand answers with the links of the instance, the same one when asked again', async () => {
  const { name, url, id } = await clip(2);
  for (const _ of [1, 2]) {
    const response = await startByHand({ blobURL: url, blobName: name });
    assert.equal(response.status, 202);
    assert.equal(((await response.json()) as { id: string }).id, id);
  }
  assert.equal((await nextRequest()).instance_id, id);
  const { waitMs, revision } = JSON.parse(host.history.instance(id)?.input ?? '') as Record<string, number>;
  assert.deepEqual([waitMs, revision], [600_000, 1]);
  assert.equal((await startByHand({ blobURL: url, blobName: name }, 'wrong')).status, 401);
});

test('a start by hand that names no clip is refused with one sentence', async () => {
  const response = await startByHand({ blobName: 'a.mp4' });
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), {
    error: { code: 'bad-request', message: 'blobURL is missing or not a text.' },
  });
});

test('a start by hand of a blob that is not there is refused at once', async () => {
  const { name, url } = await clip(6);
  const missing = name.replace('T006', 'T007');
  const response = await startByHand({ blobURL: url.replace('T006', 'T007'), blobName: missing });
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), {
    error: { code: 'no-such-blob', message: `There is no blob dacha-video/${missing}.` },
  });
});

test('while somebody else starts the same clip, a start by hand is told to come again', async () => {
  const { name, url, id } = await clip(3);
  const marker = blobs.getContainerClient('dacha-instances').getBlockBlobClient(`${id}/start.json`);
  await marker.upload('{"state":"starting"}', 20);
  const response = await startByHand({ blobURL: url, blobName: name });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '10');
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'start-in-progress');
  assert.match(error.message, new RegExp(`^${id} is being started by somebody else`));
  assert.equal(host.history.instance(id), undefined);
});

test('what breaks beneath a start is no fault of who asked, and does not look like one', async () => {
  const { name, url, id } = await clip(4);
  const marker = blobs.getContainerClient('dacha-instances').getBlockBlobClient(`${id}/start.json`);
  const large = Buffer.alloc(MAX_DOCUMENT_BYTES + 1, ' ');
  await marker.upload(large, large.length);
  assert.equal((await startByHand({ blobURL: url, blobName: name })).status, 500);
});

test('a message of plain numbers keeps their text when it is put aside', async () => {
  const aside = queues.getQueueClient('video-processed-poison');
  for (const text of ['12345678901234567890.10', '{"instance_id":1.10}']) {
    await queues.getQueueClient('video-processed').sendMessage(text);
    const note = await found('it lies aside', async () => {
      const { receivedMessageItems } = await aside
        .receiveMessages({ visibilityTimeout: 1 })
        .catch(() => ({ receivedMessageItems: [] }));
      const [message] = receivedMessageItems;
      if (!message) return undefined;
      await aside.deleteMessage(message.messageId, message.popReceipt);
      return message.messageText;
    });
    assert.equal((JSON.parse(note) as { original: string }).original, text);
  }
});

test('an answer nobody waits for comes again until its last delivery, then it lies aside with the reason', async () => {
  const stray = encodeQueueMessage(result(details([]), { instance_id: 'somebody-else' }));
  await queues.getQueueClient('video-processed').sendMessage(stray);
  const aside = queues.getQueueClient('video-processed-poison');
  const note = await found('it lies aside', async () => {
    const [message] = await aside.receiveMessages().then(
      ({ receivedMessageItems }) => receivedMessageItems,
      () => [],
    );
    return message?.messageText;
  });
  assert.deepEqual(
    [JSON.parse(note).reason, JSON.parse(note).original],
    ['unknown-instance', stray],
    'put there by the app, which knows why, and not by the host',
  );
  const tries = lines.filter((line) => String(line['message']).startsWith('there is no orchestration some'));
  assert.equal(tries.length, 4);
});

test('the worker ends with the host, and another host starts another', async () => {
  const pid = () => Number(readFileSync(join(dir, 'worker.pid'), 'utf8'));
  const first = pid();
  assert.equal(lives(first), true);
  await host.stop();
  assert.equal(lives(first), false);
  await boot();
  const { name, url, id } = await clip(5);
  await announce(name, url);
  assert.equal((await nextRequest()).instance_id, id);
  assert.notEqual(pid(), first);
  assert.equal(lives(pid()), true);
});

const lives = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
