import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bestFrameBlobName, verdictBlobName } from '@dachawatch/contracts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createOpenBlob } from '../../../agent/upload/ticket-blob-client.ts';
import { BLOCK_BYTES } from '../../../agent/upload/clip-reader.ts';
import { createUploader, UPLOAD_SETTINGS, type UploadSettings } from '../../../agent/upload/upload.ts';
import { ticketBlobClientContract } from '../../fakes/ticket-blob-client-contract.ts';
import { uploadTicketsContract } from '../../fakes/upload-tickets-contract.ts';
import type { FakeUploadTickets } from '../../fakes/upload-tickets.ts';
import { benchLedger, verdictFor } from '../../unit/agent/ledger/bench.ts';
import type { AgentArguments } from './upload-agent.ts';
import { DEVICE, until, useStorage } from './upload-fixture.ts';

const storage = useStorage();
const openBlob = createOpenBlob(UPLOAD_SETTINGS);
const signal = new AbortController().signal;
const FAST: Partial<UploadSettings> = {
  idleMs: 100,
  retry: { minMs: 50, maxMs: 200 },
  pause: { minMs: 50, maxMs: 200 },
};

let blobs = 0;
ticketBlobClientContract('Azurite', async () =>
  openBlob(await storage.tickets().requestTicket(`gate/2026/06/01/contract ${++blobs}.mp4`)),
);
uploadTicketsContract('signing fake hub', async () => ({ hub: storage.tickets(), deviceId: DEVICE }));

function house(t: TestContext, hub: FakeUploadTickets, settings: Partial<UploadSettings> = {}) {
  const bench = benchLedger(t, { clock: systemClock });
  const lines: string[] = [];
  const log = createLog('debug', (line) => lines.push(line));
  const conditions = createConditions({ clock: systemClock, log });
  const uploader = createUploader({
    ledger: bench.ledger,
    tickets: hub,
    clock: systemClock,
    conditions,
    log,
    deviceId: DEVICE,
    framesDir: join(bench.dir, 'frames'),
    online: () => true,
    settings: { ...FAST, ...settings },
  });
  t.after(() => uploader.stop());
  return { ...bench, uploader, lines, conditions };
}

test('a clip arrives whole, with its type and metadata, under a ticket instead of a key', async (t) => {
  const hub = storage.tickets();
  const { ledger, uploader, sealed } = house(t, hub);
  const clip = sealed(2 * BLOCK_BYTES + 77);
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  const blob = storage.clips().getBlobClient(`${DEVICE}/${clip.blobName}`);
  assert.ok((await blob.downloadToBuffer()).equals(readFileSync(clip.file)));
  const properties = await blob.getProperties();
  assert.equal(properties.contentType, 'video/mp4');
  assert.equal(properties.metadata?.['sha256'], clip.sha256);
  assert.equal(properties.metadata?.['clip_id'], clip.clipId);
  assert.equal(properties.metadata?.['schema'], 'dachawatch/clip-metadata/1');
  assert.equal(ledger.clip(clip.clipId)?.blobUrl, blob.url);
  await until(() => hub.open().length === 0, 'ticket back');
});

test('a ticket opens its own blob and no other', async () => {
  const ticket = await storage.tickets().requestTicket('gate/2026/06/01/mine.mp4');
  const other = openBlob({ ...ticket, blobName: `${DEVICE}/gate/2026/06/01/other.mp4` });
  await assert.rejects(
    other.stageBlock('YQ==', Buffer.from('x'), signal),
    (error) => error instanceof Failure && error.code === 'upload.block.http-403',
  );
});

test('a clip whose blob was archived before its answer came is known by what can still be read of it', async (t) => {
  const { uploader, sealed, ledger } = house(t, storage.tickets());
  const clip = sealed(2 * BLOCK_BYTES + 9);
  await uploader.start();
  const isUp = () => ledger.clip(clip.clipId)?.state === 'uploaded';
  await until(isUp, 'uploaded');
  await storage.clips().getBlockBlobClient(`${DEVICE}/${clip.blobName}`).setAccessTier('Archive');
  const opened = openBlob(await storage.tickets().requestTicket(clip.blobName));
  assert.equal((await opened.head(signal))?.archived, true);
  await assert.rejects(
    opened.contentSha256(signal),
    (error) => error instanceof Failure && error.code === 'upload.archived',
  );
  await ledger.returnToQueue(clip.clipId, 'as if the answer had been lost');
  uploader.wake();
  await until(isUp, 'settled again');
  assert.ok(!ledger.custody(clip.clipId).some(({ event }) => event === 'park'));
});

test('a missing container is a passing failure, never a missing blob', async () => {
  const ticket = await storage.tickets('no-such-container').requestTicket('gate/2026/06/01/x.mp4');
  await assert.rejects(
    openBlob(ticket).head(signal),
    (error) =>
      error instanceof Failure && error.kind === 'transient' && /ContainerNotFound/.test(error.message),
  );
});

test('an expired ticket is given back; the clip goes up under the next one', async (t) => {
  const hub = storage.tickets();
  hub.lifeS = -600;
  const { ledger, uploader, sealed } = house(t, hub);
  const clip = sealed(1_000);
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'refused');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /http-403/);
  hub.lifeS = 3_600;
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.equal(hub.returned[0]?.isSuccess, false);
  assert.equal(hub.returned[0]?.statusCode, 403);
});

test('a clip that is in storage already is settled without sending it again', async (t) => {
  const hub = storage.tickets();
  const first = house(t, hub);
  const clip = first.sealed(5_000);
  await first.uploader.start();
  await until(() => first.ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  const before = await storage.clips().getBlobClient(`${DEVICE}/${clip.blobName}`).getProperties();
  await first.ledger.returnToQueue(clip.clipId, 'as if the answer had been lost');
  first.uploader.wake();
  await until(() => first.ledger.clip(clip.clipId)?.state === 'uploaded', 'settled again');
  const after = await storage.clips().getBlobClient(`${DEVICE}/${clip.blobName}`).getProperties();
  assert.equal(after.etag, before.etag, 'the blob was not touched');
  assert.ok(first.lines.some((line) => line.includes('"wasThere":true')));
});

test('storage goes down and comes back: clips wait, then go up', async (t) => {
  const hub = storage.tickets();
  const { ledger, uploader, sealed } = house(t, hub);
  await storage.kill();
  const clips = [sealed(1_000), sealed(1_000)];
  await uploader.start();
  await until(() => clips.some((clip) => ledger.clip(clip.clipId)?.reason !== null), 'a failure');
  assert.equal(uploader.status().detail === null, false);
  assert.equal(ledger.summary().waiting, 2);
  await storage.startAgain();
  await until(() => ledger.summary().waiting === 0, 'both uploaded');
  assert.ok(clips.every((clip) => ledger.clip(clip.clipId)?.state === 'uploaded'));
  assert.equal(uploader.status().detail, null);
  await until(() => hub.open().length === 0, 'tickets back');
});

test('a verdict and a best frame beside the blob are found through read tickets', async (t) => {
  const hub = storage.tickets();
  const { ledger, uploader, sealed } = house(t, hub, {
    verdictAfterMs: 0,
    verdictAfterConnectMs: 0,
    verdictEveryMs: 100,
  });
  const clip = sealed(1_000);
  const beside = storage.clips();
  const verdict = { ...verdictFor(clip.clipId), best_frame: { blobName: 'x', at_ms: 1, boxes: [] } };
  const body = JSON.stringify(verdict);
  const name = `${DEVICE}/${clip.blobName}`;
  await beside.getBlockBlobClient(verdictBlobName(name)).upload(body, body.length);
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0]);
  await beside.getBlockBlobClient(bestFrameBlobName(name)).upload(jpeg, jpeg.length);
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'judged', 'judged');
  const file = await uploader.bestFrame(clip.clipId);
  assert.ok(file !== undefined && existsSync(file));
  assert.deepEqual(readFileSync(file), jpeg);
});

test('killed in mid-upload, the next process sends only what is missing', async (t) => {
  const dir = join(storage.dir(), 'killed-house');
  mkdirSync(dir);
  const { hostName } = await storage.tickets().requestTicket('x');
  const key = /AccountKey=([^;]+)/.exec(storage.connectionString())?.[1] ?? '';
  const common = { dir, deviceId: DEVICE, hostName, account: { name: hostName.split('/')[1] ?? '', key } };

  const first = startAgent(t, { ...common, makeBytes: 6 * BLOCK_BYTES + 5, hangAfter: 4 });
  await until(() => first.said.some((one) => one.staged === 4), 'four blocks staged');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const clipId = first.said.find((one) => one.sealed !== undefined)?.sealed;

  const second = startAgent(t, common);
  await until(() => second.said.some((one) => one.uploaded !== undefined), 'uploaded');
  assert.deepEqual(second.said.at(-1), { uploaded: clipId, reused: 4 });
  second.child.disconnect();
  await once(second.child, 'exit');

  const names = [];
  for await (const blob of storage.clips().listBlobsFlat({ prefix: `${DEVICE}/gate/` }))
    if (blob.name.includes(String(clipId))) names.push(blob);
  assert.equal(names.length, 1);
  assert.equal(names[0]?.properties.contentLength, 6 * BLOCK_BYTES + 5);
});

interface Said {
  readonly sealed?: string;
  readonly staged?: number;
  readonly uploaded?: string;
  readonly reused?: number;
}

function startAgent(t: TestContext, args: AgentArguments): { child: ChildProcess; said: Said[] } {
  const said: Said[] = [];
  const child = fork(join(import.meta.dirname, 'upload-agent.ts'), [JSON.stringify(args)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: storage.caFile() },
  });
  child.on('message', (message) => said.push(message as Said));
  t.after(() => child.kill('SIGKILL'));
  return { child, said };
}
