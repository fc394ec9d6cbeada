import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { blobCreatedEvent } from '../../../../../cloud-fn/local/event-grid/blob-event.ts';
import { deliverDue, validateEndpoint } from '../../../../../cloud-fn/local/event-grid/deliver.ts';
import { openEventStore, type EventStore } from '../../../../../cloud-fn/local/event-grid/event-store.ts';

let dataDir = '';
let store: EventStore;
let server: Server;
let nowMs = 0;
let answerWith = 202;
let got: { type: string | undefined; count: string | undefined; body: { id: string; data: object }[] }[] = [];
const signal = new AbortController().signal;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dacha-events-'));
  store = openEventStore(dataDir);
  nowMs = Date.UTC(2026, 10, 21);
  answerWith = 202;
  got = [];
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { 'aeg-event-type': type, 'aeg-delivery-count': count } = request.headers;
      got.push({ type: String(type), count: String(count), body });
      const [first] = body as unknown as { data: { validationCode?: string } }[];
      response.writeHead(answerWith);
      response.end(JSON.stringify({ validationResponse: first?.data.validationCode }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  store.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function bodyOf(request: IncomingMessage) {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text) as (typeof got)[number]['body'];
}
const blob = (name: string, etag: string) => ({
  name,
  etag,
  contentLength: 5,
  contentType: 'video/mp4',
  lastModifiedMs: nowMs,
});
const see = (name: string, etag: string) => {
  const from = { account: 'acc', container: 'dacha-video', url: `https://127.0.0.1/acc/dacha-video/${name}` };
  const event = blobCreatedEvent(blob(name, etag), from, 'PutBlockList', store.nextSequence());
  store.store(store.nextScan(), [{ blob: blob(name, etag), event }], nowMs);
  return event;
};
const deliver = () =>
  deliverDue(
    {
      store,
      endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?code=k`),
      nowMs: () => nowMs,
      random: () => 0.5,
      log: () => undefined,
    },
    signal,
  );

test('an event is delivered in the Event Grid schema, once', async () => {
  const event = see('house/yard/a.mp4', '"0x1"');
  await deliver();
  await deliver();
  assert.equal(got.length, 1);
  assert.deepEqual([got[0]?.type, got[0]?.count], ['Notification', '0']);
  assert.deepEqual(got[0]?.body, [event]);
  assert.equal(event.subject, '/blobServices/default/containers/dacha-video/blobs/house/yard/a.mp4');
  assert.equal(event.eventType, 'Microsoft.Storage.BlobCreated');
  assert.equal(event.data.eTag, '0x1');
  assert.equal(store.waiting(), 0);
});

test('a failed delivery comes again later with the same id, counted', async () => {
  const event = see('a.mp4', '1');
  answerWith = 500;
  await deliver();
  await deliver();
  assert.equal(got.length, 1, 'not before its time');
  nowMs += 1000;
  answerWith = 202;
  await deliver();
  assert.deepEqual(
    got.map((one) => [one.body[0]?.id, one.count]),
    [
      [event.id, '0'],
      [event.id, '1'],
    ],
  );
  assert.equal(store.waiting(), 0);
});

test('after 400, 401, 403 and 413 an event is dead-lettered with the reason, and the next goes on', async () => {
  for (const status of [400, 401, 403, 413]) {
    see(`${status}.mp4`, '1');
    answerWith = status;
    await deliver();
  }
  assert.deepEqual(
    store.dead().map(({ reason, attempts }) => [/answered (\d+)/.exec(reason)?.[1], attempts]),
    [
      ['400', 1],
      ['401', 1],
      ['403', 1],
      ['413', 1],
    ],
  );
  answerWith = 200;
  see('good.mp4', '1');
  await deliver();
  assert.equal(store.waiting(), 0);
});

test('an endpoint that is away for days loses nothing; one that refuses for days ends in dead letters', async () => {
  see('a.mp4', '1');
  answerWith = 503;
  nowMs += 5 * 86_400_000;
  await deliver();
  assert.equal(store.waiting(), 1, 'old, but tried once only');
  for (let attempt = 1; attempt < 30; attempt += 1) {
    nowMs += 60_000;
    await deliver();
  }
  assert.equal(store.waiting(), 0);
  assert.equal(store.dead()[0]?.attempts, 30);
});

test('what was not delivered survives a reopening; a blob is new again only with another etag', async () => {
  const event = see('a.mp4', '1');
  store.close();
  store = openEventStore(dataDir);
  assert.equal(store.isNew(blob('a.mp4', '1')), false);
  assert.equal(store.isNew(blob('a.mp4', '2')), true);
  await deliver();
  assert.equal(got[0]?.body[0]?.id, event.id);
});

test('a blob that a complete listing does not show is forgotten', () => {
  see('gone.mp4', '1');
  const scan = store.nextScan();
  store.store(scan, [], nowMs);
  store.endScan(scan);
  assert.equal(store.isNew(blob('gone.mp4', '1')), true);
});

test('the handshake says why an endpoint is not valid', async () => {
  const endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  answerWith = 200;
  assert.equal(await validateEndpoint(endpoint, signal), undefined);
  assert.equal(got[0]?.type, 'SubscriptionValidation');
  answerWith = 401;
  assert.match((await validateEndpoint(endpoint, signal)) ?? '', /401/);
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  assert.match((await validateEndpoint(endpoint, signal)) ?? '', /fetch failed/);
});
