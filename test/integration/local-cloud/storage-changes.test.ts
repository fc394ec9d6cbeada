import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS, CONTAINER_FRAMES } from '@dachawatch/contracts';
import type { ChildService } from '../../../cloud-fn/local/child-service.ts';
import { createChangeSource } from '../../../cloud-fn/local/event-grid/follow.ts';
import type { BlobChange, ChangeCursor } from '../../../cloud-fn/local/storage/blob-changes.ts';
import { CHANGES_PATH } from '../../../cloud-fn/local/storage/change-requests.ts';
import { startStorage, type StorageReady } from '../../../cloud-fn/local/storage/storage.ts';

const trusted = tls.getCACertificates('default');
const { signal } = new AbortController();
let dir = '';
let storage: ChildService<StorageReady>;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dacha-changes-'));
  storage = await startStorage({ dataDir: join(dir, 'storage') });
  tls.setDefaultCACertificates([...trusted, await readFile(storage.ready.caFile, 'utf8')]);
});
after(async () => {
  await storage.stop();
  tls.setDefaultCACertificates(trusted);
  await rm(dir, { recursive: true, force: true });
});

const containerOf = (name: string): ContainerClient =>
  BlobServiceClient.fromConnectionString(storage.ready.connectionString).getContainerClient(name);
const source = () => {
  const key = /AccountKey=([^;]+)/.exec(storage.ready.connectionString)?.[1] ?? '';
  return createChangeSource(storage.ready.blobEndpoint, key);
};
/** Where the log ends now: what a reader that nobody knows is told. */
const endOf = async (container: string) => (await source()(container, undefined, signal)).cursor;
/** Reads on until so many changes are there. */
async function changesFrom(start: ChangeCursor, count: number, container = CONTAINER_CLIPS) {
  const got: BlobChange[] = [];
  let cursor = start;
  while (got.length < count) {
    const page = await source()(container, cursor, signal);
    assert.ok(page.changes, 'the cursor is known');
    got.push(...page.changes);
    cursor = page.cursor;
  }
  return { got, cursor };
}
const words = (changes: readonly BlobChange[]) => changes.map(({ kind, name }) => `${kind} ${name}`);

test('storage tells what was written, described anew and deleted, in order, and nothing else', async () => {
  const clips = containerOf(CONTAINER_CLIPS);
  const start = await endOf(CONTAINER_CLIPS);
  const put = clips.getBlockBlobClient('a/put.mp4');
  await put.upload('clip', 4, { blobHTTPHeaders: { blobContentType: 'video/mp4' } });
  const blocks = clips.getBlockBlobClient('a/дача 1.mp4');
  await blocks.stageBlock('YQ==', 'block', 5);
  await blocks.commitBlockList(['YQ==']);
  await put.setTags({ verdict: 'nothing' });
  await put.createSnapshot();
  await put.setMetadata({ clip_id: 'c' });
  await containerOf(CONTAINER_FRAMES).getBlockBlobClient('a/other.jpg').upload('x', 1);
  await put.upload('longer', 6);
  await blocks.delete();
  const { got } = await changesFrom(start, 5);
  assert.deepEqual(words(got).slice(0, 3), [
    'created a/put.mp4',
    'created a/дача 1.mp4',
    'changed a/put.mp4',
  ]);
  assert.equal(got.filter(({ kind }) => kind === 'created').length, 3);
  assert.equal(words(got).at(-1), 'deleted a/дача 1.mp4');
  const [first, second] = got;
  assert.deepEqual([first?.api, first?.contentLength, first?.contentType], ['PutBlob', 4, 'video/mp4']);
  assert.deepEqual([second?.api, second?.contentLength], ['PutBlockList', 5]);
  const rewritten = got.findLast(({ name, kind }) => kind === 'created' && name === 'a/put.mp4');
  const { etag = '' } = await put.getProperties();
  assert.equal(rewritten?.etag.replaceAll('"', ''), etag.replaceAll('"', ''));
});

test('a kill right after the answer loses no change, and the reader goes on where it was', async () => {
  let cursor = await endOf(CONTAINER_CLIPS);
  for (const name of ['k/1.mp4', 'k/2.mp4']) {
    await containerOf(CONTAINER_CLIPS).getBlockBlobClient(name).upload('clip', 4);
    await storage.kill();
    storage = await startStorage({ dataDir: join(dir, 'storage') });
    const next = await changesFrom(cursor, 1);
    assert.deepEqual(words(next.got), [`created ${name}`]);
    cursor = next.cursor;
  }
});

test('a reader that waits is answered as soon as something happens', async () => {
  const cursor = await endOf(CONTAINER_CLIPS);
  const waiting = source()(CONTAINER_CLIPS, cursor, signal);
  await containerOf(CONTAINER_CLIPS).getBlockBlobClient('w/1.mp4').upload('clip', 4);
  assert.deepEqual(words((await waiting).changes ?? []), ['created w/1.mp4']);
});

test('who does not hold the account key is told nothing, and a cursor of another log is unknown', async () => {
  const url = new URL(`${CHANGES_PATH}?container=${CONTAINER_CLIPS}&waitMs=0`, storage.ready.blobEndpoint);
  assert.equal((await fetch(url)).status, 401);
  const stranger = createChangeSource(
    storage.ready.blobEndpoint,
    Buffer.from('another key').toString('base64'),
  );
  await assert.rejects(stranger(CONTAINER_CLIPS, undefined, signal), /storage answered 401/);
  const end = await endOf(CONTAINER_CLIPS);
  for (const cursor of [
    { ...end, feed: 'another' },
    { ...end, seq: end.seq + 1 },
    { ...end, seq: -1 },
    { ...end, seq: Number.NaN },
  ])
    assert.deepEqual(await source()(CONTAINER_CLIPS, cursor, signal), { cursor: end });
});
