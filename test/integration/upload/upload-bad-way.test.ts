/** Uploads through something on the way that answers in place of storage, or spoils what passes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { verdictBlobName } from '@dachawatch/contracts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { ensureCertificates } from '../../../cloud-fn/local/certificates.ts';
import { BLOCK_BYTES } from '../../../agent/upload/clip-reader.ts';
import { createUploader } from '../../../agent/upload/upload.ts';
import { benchLedger, verdictFor, writeClip } from '../../unit/agent/ledger/bench.ts';
import { randomBytes } from 'node:crypto';
import { type FalseAnswer, startStorageProxy, type PassingRequest } from './storage-proxy.ts';
import { DEVICE, until, useStorage } from './upload-fixture.ts';

const storage = useStorage();
const LOGIN_PAGE = `<!DOCTYPE html><html><body>Please log in to the network.${' '.repeat(500)}</body></html>`;

/** What storage puts on every answer. */
const REAL = { 'x-ms-request-id': '1', 'x-ms-version': '2025-11-05' };

async function house(t: TestContext) {
  const hub = storage.tickets();
  const { hostName } = await hub.requestTicket('where');
  const [host = '', account = ''] = hostName.split('/');
  const proxy = await startStorageProxy(storage.caFile(), host);
  /** Where tickets point to. */
  const way = { host: proxy.host };
  const bench = benchLedger(t, { clock: systemClock });
  const log = createLog('debug', (line) => bench.lines.push(line));
  const uploader = createUploader({
    ledger: bench.ledger,
    tickets: {
      requestTicket: async (name, signal) => ({
        ...(await hub.requestTicket(name, signal)),
        hostName: `${way.host}/${account}`,
      }),
      returnTicket: (id, outcome) => hub.returnTicket(id, outcome),
    },
    conditions: createConditions({ clock: systemClock, log }),
    clock: systemClock,
    log,
    deviceId: DEVICE,
    framesDir: join(bench.dir, 'frames'),
    online: () => true,
    settings: {
      idleMs: 50,
      retry: { minMs: 20, maxMs: 100 },
      pause: { minMs: 10, maxMs: 50 },
      verdictAfterMs: 0,
      verdictAfterConnectMs: 0,
      verdictEveryMs: 50,
      verdictAgain: { minMs: 20, maxMs: 50 },
    },
  });
  t.after(async () => {
    await uploader.stop();
    await proxy.close();
  });
  const sealed = (bytes: number) => {
    const clip = bench.open();
    return bench.ledger.sealClip(clip.clipId, writeClip(clip.partFile, bytes, randomBytes(bytes)));
  };
  const isUp = (clipId: string) => bench.ledger.clip(clipId)?.state === 'uploaded';
  const stored = (blobName: string) =>
    storage.clips().getBlobClient(`${DEVICE}/${blobName}`).downloadToBuffer();
  return { ...bench, sealed, uploader, proxy, way, isUp, stored };
}

/** Answers so many requests of each kind itself, and then behaves. */
function atFirst(times: number, answer: (request: PassingRequest) => FalseAnswer) {
  const counts = new Map<string, number>();
  return (request: PassingRequest) => {
    const kind = `${request.method} ${/comp=\w+/.exec(request.url)?.[0] ?? ''}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= times ? answer(request) : undefined;
  };
}

const ODD = [
  ...[200, 204, 300, 301, 302, 304, 307, 308, 400, 401, 404, 405, 407, 409, 410, 412, 413, 415, 416],
  ...[418, 422, 431, 451, 503, 511],
];

test('whatever answers in place of storage, and whatever it says, no clip is parked and every one goes up', async (t) => {
  const { ledger, uploader, proxy, sealed, isUp, stored } = await house(t);
  await uploader.start();
  for (const status of ODD) {
    proxy.misbehave = atFirst(1, () => ({
      status,
      headers: {
        'content-type': 'text/html',
        ...(status >= 300 && status < 400 ? { location: 'https://127.0.0.1:1/login' } : {}),
      },
      body: status === 204 || status === 304 ? '' : LOGIN_PAGE,
    }));
    const clip = sealed(20_000);
    uploader.wake();
    await until(() => isUp(clip.clipId), `${status}: uploaded`);
    assert.ok((await stored(clip.blobName)).equals(readFileSync(clip.file)), String(status));
    const custody = ledger.custody(clip.clipId);
    assert.ok(!custody.some(({ event }) => event === 'park' || event === 'requeue'), `${status}: custody`);
    assert.ok(
      custody.every(({ detail }) => !detail?.includes('<html>')),
      `${status}: no page in custody`,
    );
  }
});

test('a redirect gets neither the clip nor its ticket', async (t) => {
  const asked: string[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('thank you');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  t.after(() => elsewhere.close());
  const { port } = elsewhere.address() as AddressInfo;
  const { uploader, proxy, sealed, isUp } = await house(t);
  for (const status of [301, 302, 307, 308]) {
    proxy.misbehave = atFirst(1, ({ url }) => ({
      status,
      headers: { location: `http://127.0.0.1:${port}${url}` },
    }));
    const clip = sealed(1_000);
    if (status === 301) await uploader.start();
    uploader.wake();
    await until(() => isUp(clip.clipId), `${status}: uploaded`);
  }
  assert.deepEqual(asked, []);
});

test('whoever intercepts the connection with a certificate of his own gets nothing, and no clip is parked', async (t) => {
  const { uploader, proxy, way, sealed, isUp, ledger } = await house(t);
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-intercept-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const foreign = await ensureCertificates(dir, ['localhost']);
  const interceptor = await startStorageProxy(foreign.caFile, proxy.host);
  t.after(() => interceptor.close());
  way.host = interceptor.host;
  const clip = sealed(1_000);
  await uploader.start();
  const fails = () => ledger.custody(clip.clipId).filter(({ event }) => event === 'fail').length;
  await until(() => fails() >= 2, 'two failures');
  way.host = proxy.host;
  await until(() => isUp(clip.clipId), 'uploaded');
  assert.deepEqual(interceptor.seen, []);
  assert.ok(!ledger.custody(clip.clipId).some(({ event }) => event === 'park'));
});

test('a bit that flips on the wire is noticed by storage, and the block is sent again', async (t) => {
  const { uploader, proxy, sealed, isUp, stored, ledger } = await house(t);
  let flipped = 0;
  proxy.misbehave = ({ method, url, body }) => {
    if (method !== 'PUT' || !url.includes('comp=block&') || flipped === 2) return undefined;
    flipped++;
    const spoilt = Buffer.from(body);
    spoilt[1_000]! ^= 16;
    return { passOn: spoilt };
  };
  const clip = sealed(2 * BLOCK_BYTES + 10);
  await uploader.start();
  await until(() => isUp(clip.clipId), 'uploaded');
  assert.equal(flipped, 2);
  assert.ok(ledger.custody(clip.clipId).some(({ detail }) => detail?.includes('Md5Mismatch')));
  assert.ok((await stored(clip.blobName)).equals(readFileSync(clip.file)));
});

test('storage that asks to wait is asked for nothing until then, whoever waits, and gets everything after it', async (t) => {
  const { uploader, proxy, sealed, isUp } = await house(t);
  await uploader.start();
  for (const asks of [{ 'retry-after': '2' }, { 'x-ms-retry-after-ms': '1500' }]) {
    const askedAt: number[] = [];
    proxy.misbehave = () => {
      askedAt.push(performance.now());
      return askedAt.length > 1 ? undefined : { status: 503, headers: { ...REAL, ...asks } };
    };
    const clips = [sealed(1_000), sealed(1_000)];
    uploader.wake();
    await until(() => clips.every(({ clipId }) => isUp(clipId)), 'uploaded');
    // What was on its way already arrives; then there is quiet.
    const pauses = askedAt.slice(1).map((ms, i) => ms - (askedAt[i] ?? ms));
    assert.ok(Math.max(...pauses) >= 1_000, 'not before its time');
  }
});

test('an answer that is lost after the commit costs no second blob, and the bytes are looked at', async (t) => {
  const { uploader, proxy, sealed, isUp, ledger } = await house(t);
  let lost = 0;
  proxy.misbehave = ({ url }) => {
    if (!url.includes('comp=blocklist') || lost > 0) return undefined;
    lost++;
    return 'reset-after';
  };
  const clip = sealed(BLOCK_BYTES + 10);
  await uploader.start();
  await until(() => isUp(clip.clipId), 'uploaded');
  assert.equal(lost, 1);
  assert.ok(!ledger.custody(clip.clipId).some(({ event }) => event === 'park'));
});

test('a verdict that is cut on the way, or is a page that asks for a login, is asked for again', async (t) => {
  const { uploader, proxy, sealed, ledger } = await house(t);
  const clip = sealed(1_000);
  const body = JSON.stringify(verdictFor(clip.clipId));
  await storage
    .clips()
    .getBlockBlobClient(verdictBlobName(`${DEVICE}/${clip.blobName}`))
    .upload(body, body.length);
  const wrong: FalseAnswer[] = [
    { status: 200, headers: { 'content-type': 'text/html' }, body: LOGIN_PAGE },
    { status: 404, headers: { 'content-type': 'text/html' }, body: LOGIN_PAGE },
    { status: 302, headers: { location: 'https://127.0.0.1:1/' } },
    { status: 200, headers: REAL, body, cutAt: 40 },
    { status: 200, headers: { ...REAL, 'content-length': '40' }, body: body.slice(0, 40) },
  ];
  proxy.misbehave = ({ method, url }) =>
    method === 'GET' && url.includes('.verdict.json') ? wrong.shift() : undefined;
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'judged', 'judged');
  assert.equal(wrong.length, 0);
  assert.ok(
    !ledger.custody(clip.clipId).some(({ event }) => event === 'requeue'),
    'no page made it a blob that is gone',
  );
});
