import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import tls from 'node:tls';
import type { ClipMetadata } from '@dachawatch/contracts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createOpenBlob } from '../../../../agent/upload/ticket-blob-client.ts';
import { ticketBlobClientContract } from '../../../fakes/ticket-blob-client-contract.ts';
import { type Asked, type BlobService, OF_STORAGE, startBlobService } from '../../../fakes/blob-service.ts';

const trusted = tls.getCACertificates('default');
const signal = new AbortController().signal;
const openBlob = createOpenBlob({ requestMs: 60_000, blockMs: 60_000 });
const PATH = '/account/clips/dacha-1/gate/2026/06/01/a%20clip.mp4';
const BLOCK = Buffer.from('a block').toString('base64');
let dir = '';
let service: BlobService;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-blob-client-'));
  service = await startBlobService(dir);
  tls.setDefaultCACertificates([...trusted, service.ca]);
});
beforeEach(() => {
  service.instead = undefined;
  service.blobs.clear();
});
after(async () => {
  await service.stop();
  tls.setDefaultCACertificates(trusted);
  rmSync(dir, { recursive: true, force: true });
});

const ticketFor = (blobName: string, sasToken = '?sv=1&sig=secret') => ({
  correlationId: '1',
  hostName: `${service.host}/account/`,
  containerName: 'clips',
  blobName,
  sasToken,
});
const client = (deadlines?: { requestMs: number; blockMs: number }) =>
  (deadlines ? createOpenBlob(deadlines) : openBlob)(ticketFor('dacha-1/gate/2026/06/01/a clip.mp4'));

const fails =
  (kind: string, code: RegExp, message = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.code, code);
    assert.match(error.message, message);
    return true;
  };

const METADATA: ClipMetadata = {
  device_id: 'dacha-1',
  camera_id: 'gate',
  clip_id: '01ARYZ6S410000000000000000',
  event_start_utc: '2026-06-01T12:00:00.000Z',
  pre_roll_ms: '5000',
  duration_ms: '30000',
  sha256: 'ab'.repeat(32),
  clock_quality: 'synchronised',
  schema: 'dachawatch/clip-metadata/1',
};

let blobs = 0;
ticketBlobClientContract('storage on loopback', async () =>
  openBlob(ticketFor(`dacha-1/contract/${++blobs}.mp4`)),
);

test('the address is that of the ticket, part by part, and carries the signature only where it is asked', async () => {
  for (const token of ['?sv=1&sig=secret', 'sv=1&sig=secret']) {
    const opened = openBlob(ticketFor('dacha-1/gate/2026/06/01/a clip.mp4', token));
    assert.equal(opened.url, `https://${service.host}${PATH}`);
    await opened.head(signal);
    const { path, query } = service.asked.at(-1) as Asked;
    assert.equal(path, PATH);
    assert.equal(query.get('sig'), 'secret');
    assert.equal(query.get('sv'), '1');
  }
});

test('a block goes with its hash; a clip is committed as a video with its metadata, and never over another', async () => {
  await client().stageBlock(BLOCK, Buffer.from('bytes'), signal);
  const block = service.asked.at(-1) as Asked;
  assert.equal(block.headers['content-md5'], createHash('md5').update('bytes').digest('base64'));
  const md5 = createHash('md5').update('bytes').digest();
  assert.equal(await client().commit([BLOCK], METADATA, md5, signal), 'made');
  const { headers } = service.asked.at(-1) as Asked;
  assert.equal(headers['if-none-match'], '*');
  assert.equal(headers['x-ms-blob-content-type'], 'video/mp4');
  assert.equal(headers['x-ms-blob-content-md5'], md5.toString('base64'));
  assert.equal(headers['x-ms-meta-clip_id'], METADATA.clip_id);
});

test('whatever storage calls it, a blob that is there already is no failure', async () => {
  for (const code of ['BlobAlreadyExists', 'ConditionNotMet', 'BlobArchived', 'BlobBeingRehydrated']) {
    service.instead = () => ({ status: 412, headers: { ...OF_STORAGE, 'x-ms-error-code': code } });
    assert.equal(await client().commit([BLOCK], METADATA, Buffer.alloc(16), signal), 'was-there');
  }
});

test('a blob that has neither checksum nor hash beside it is told as it is', async () => {
  service.blobs.set(PATH, { body: Buffer.from('12345'), headers: {} });
  assert.deepEqual(await client().head(signal), { bytes: 5, sha256: null, md5: null, archived: false });
});

test('of a blob in the archive tier all is known but its bytes, and that says so', async () => {
  service.blobs.set(PATH, { body: Buffer.from('12345'), headers: { 'x-ms-access-tier': 'Archive' } });
  assert.deepEqual(await client().head(signal), { bytes: 5, sha256: null, md5: null, archived: true });
  for (const code of ['BlobArchived', 'BlobBeingRehydrated']) {
    service.instead = ({ method }) =>
      method === 'GET' ? { status: 409, headers: { ...OF_STORAGE, 'x-ms-error-code': code } } : undefined;
    for (const read of [client().read(1_000, signal), client().contentSha256(signal)])
      await assert.rejects(read, fails('rejected', /^upload\.archived$/, /archive tier/));
  }
});

test('a large blob is read back in pieces, every byte of it once', async () => {
  for (const size of [0, 1, 1024 * 1024, 2 * 1024 * 1024 + 3]) {
    const body = randomBytes(size);
    service.blobs.set(PATH, { body, headers: {} });
    const before = service.asked.length;
    assert.equal(await client().contentSha256(signal), createHash('sha256').update(body).digest('hex'));
    const pieces = service.asked.slice(before).filter(({ method }) => method === 'GET');
    assert.equal(pieces.length, Math.ceil(size / 1024 / 1024));
    assert.ok(
      pieces.every(({ headers }) => headers['if-match'] !== undefined),
      'of one and the same content',
    );
  }
});

test('a piece that comes short or long when a blob is read back is a passing failure, not another content', async () => {
  const body = randomBytes(1024 * 1024 + 10);
  service.blobs.set(PATH, { body, headers: {} });
  for (const text of ['', 'x'.repeat(9), 'x'.repeat(11)]) {
    service.instead = ({ headers }) =>
      String(headers['x-ms-range']).startsWith('bytes=1048576')
        ? { status: 206, headers: { ...OF_STORAGE, 'content-length': String(text.length) }, body: text }
        : undefined;
    await assert.rejects(client().contentSha256(signal), fails('transient', /^upload\.read-back\./));
  }
  service.instead = undefined;
  const before = service.asked.length;
  await client().contentSha256(signal);
  assert.deepEqual(
    service.asked.slice(before).flatMap(({ headers }) => headers['x-ms-range'] ?? []),
    ['bytes=0-1048575', `bytes=1048576-${body.length - 1}`],
  );
});

test('a block of which storage says that it got other bytes counts as failed, and is sent again', async () => {
  const echo = (md5: string) => ({
    status: 201,
    headers: { ...OF_STORAGE, 'content-md5': createHash('md5').update(md5).digest('base64') },
  });
  service.instead = () => echo('other bytes');
  const stage = () => client().stageBlock(BLOCK, Buffer.from('bytes'), signal);
  await assert.rejects(stage(), fails('transient', /^upload\.block\./, /other bytes/));
  service.instead = () => echo('bytes');
  await stage();
});

test('properties without a size are no properties: nothing is concluded from them', async () => {
  service.instead = ({ method }) =>
    method === 'HEAD' ? { status: 200, headers: OF_STORAGE, sized: false } : undefined;
  for (const call of [client().head(signal), client().contentSha256(signal)])
    await assert.rejects(call, fails('transient', /^upload\./, /size/));
});

test('what has one sign of storage and not the other is no answer of storage', async () => {
  for (const sign of ['x-ms-request-id', 'x-ms-version'] as const) {
    service.instead = () => ({ status: 200, headers: { [sign]: OF_STORAGE[sign] } });
    await assert.rejects(client().head(signal), fails('transient', /^upload\.not-storage$/));
  }
});

test('a blob that changes while it is read back is a failure, not a checksum of two', async () => {
  service.blobs.set(PATH, { body: Buffer.alloc(1024 * 1024 + 1, 'a'), headers: {} });
  service.instead = ({ headers }) => {
    if (String(headers['x-ms-range']).startsWith('bytes=1048576'))
      service.blobs.set(PATH, { body: Buffer.alloc(1024 * 1024 + 1, 'b'), headers: {} });
    return undefined;
  };
  await assert.rejects(client().contentSha256(signal), fails('transient', /^upload\.read-back\.http-412$/));
});

test('what is exactly as large as asked for is read', async () => {
  service.blobs.set(PATH, { body: Buffer.alloc(1_000, 'x'), headers: {} });
  assert.equal((await client().read(1_000, signal))?.length, 1_000);
  await assert.rejects(
    client().read(999, signal),
    fails('rejected', /^upload\.read-size$/, /larger than 999/),
  );
});

const CALLS = {
  head: () => client().head(signal),
  'block-list': () => client().stagedBlocks(signal),
  block: () => client().stageBlock(BLOCK, Buffer.from('bytes'), signal),
  commit: () => client().commit([BLOCK], METADATA, Buffer.alloc(16), signal),
  'read-back': () => client().contentSha256(signal),
  read: () => client().read(1_000, signal),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: a page that asks for a login is no answer of storage, whatever its status`, async () => {
    for (const status of [200, 201, 404, 403, 511]) {
      service.instead = () => ({
        status,
        headers: { 'content-type': 'text/html', etag: '"1"' },
        body: '<html>log in</html>',
      });
      await assert.rejects(call(), fails('transient', /^upload\./, /something on the way answers instead/));
    }
  });

  test(`${name}: a redirect is not followed`, async () => {
    const before = service.asked.length;
    service.instead = ({ path }) =>
      path === '/elsewhere' ? { status: 200 } : { status: 307, headers: { location: '/elsewhere' } };
    await assert.rejects(call(), fails('transient', /^upload\./));
    assert.ok(service.asked.slice(before).every(({ path }) => path !== '/elsewhere'));
  });

  test(`${name}: what storage refuses says its code; only a name, metadata or list that can never be is the clip's fault`, async () => {
    const answers = [
      [403, 'AuthenticationFailed', 'transient'],
      [404, 'ContainerNotFound', 'transient'],
      [409, 'ContainerBeingDeleted', 'transient'],
      [400, 'InvalidHeaderValue', 'transient'],
      [400, 'InvalidResourceName', 'rejected'],
      [400, 'MetadataTooLarge', 'rejected'],
      [507, 'NoRoom', 'exhausted'],
    ] as const;
    for (const [status, code, kind] of answers) {
      service.instead = () => ({ status, headers: { ...OF_STORAGE, 'x-ms-error-code': code } });
      await assert.rejects(
        call(),
        fails(kind, new RegExp(`^upload\\.${name}\\.http-${status}$`), new RegExp(code)),
      );
    }
  });

  test(`${name}: an answer that does not come ends with its deadline, and with the caller's patience`, async () => {
    service.instead = () => 'nothing';
    const soon = { requestMs: 50, blockMs: 50 };
    const calls: Record<string, (one: AbortSignal) => Promise<unknown>> = {
      head: (one) => client(soon).head(one),
      'block-list': (one) => client(soon).stagedBlocks(one),
      block: (one) => client(soon).stageBlock(BLOCK, Buffer.from('bytes'), one),
      commit: (one) => client(soon).commit([BLOCK], METADATA, Buffer.alloc(16), one),
      'read-back': (one) => client(soon).contentSha256(one),
      read: (one) => client(soon).read(1_000, one),
    };
    await assert.rejects(calls[name]!(signal), fails('transient', new RegExp(`^upload\\.${name}\\.`)));
    const given = new AbortController();
    service.instead = () => {
      given.abort(new Error('given up'));
      return 'nothing';
    };
    const patient = { requestMs: 600_000, blockMs: 600_000 };
    const opened = client(patient);
    await assert.rejects(
      name === 'block'
        ? opened.stageBlock(BLOCK, Buffer.from('bytes'), given.signal)
        : opened.head(given.signal),
    );
  });
}

for (const [name, call] of Object.entries(CALLS))
  test(`${name}: an answer that asks to wait says for how long, and is not asked again at once`, async () => {
    const answers = [
      [429, { ...OF_STORAGE, 'x-ms-error-code': 'TooManyRequests', 'retry-after': '30' }, 30_000],
      [500, { ...OF_STORAGE, 'x-ms-error-code': 'InternalError' }, undefined],
      [503, { ...OF_STORAGE, 'x-ms-error-code': 'ServerBusy', 'x-ms-retry-after-ms': '1500' }, 1_500],
      [503, { 'retry-after': '7' }, 7_000],
    ] as const;
    for (const [status, headers, waitMs] of answers) {
      service.instead = () => ({ status, headers });
      const before = service.asked.length;
      await assert.rejects(call(), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.kind, 'transient');
        assert.equal(error.retryAfterMs, waitMs);
        return true;
      });
      assert.equal(service.asked.length - before, 1);
    }
    service.instead = () => ({
      status: 503,
      headers: { ...OF_STORAGE, 'retry-after': new Date(Date.now() + 120_000).toUTCString() },
    });
    await assert.rejects(call(), (error) => {
      assert.ok(error instanceof Failure);
      // Both dates are whole seconds, and Node's own may be some old on a busy machine.
      assert.ok(Math.abs((error.retryAfterMs ?? 0) - 120_000) < 30_000);
      return true;
    });
  });

test('a connection that is reset is tried once more before the attempt counts as failed', async () => {
  service.blobs.set(PATH, { body: Buffer.from('12345'), headers: {} });
  let resets = 0;
  service.instead = () => (++resets === 1 ? 'reset' : undefined);
  assert.equal((await client().head(signal))?.bytes, 5);
  resets = -10;
  const before = service.asked.length;
  await assert.rejects(
    (() => {
      service.instead = () => 'reset';
      return client().head(signal);
    })(),
    fails('transient', /^upload\.head\./, /no answer/),
  );
  assert.equal(service.asked.length - before, 2);
});

test('of what storage explains only the first line is told, and no signature', async () => {
  service.instead = () => ({
    status: 403,
    headers: { ...OF_STORAGE, 'x-ms-error-code': 'AuthenticationFailed', 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>not you\nsecond ${'line '.repeat(200)}</Message></Error>`,
  });
  await assert.rejects(client().read(10, signal), (error) => {
    assert.ok(error instanceof Failure);
    assert.doesNotMatch(error.message, /second/);
    assert.ok(error.message.length < 400);
    return true;
  });
});
