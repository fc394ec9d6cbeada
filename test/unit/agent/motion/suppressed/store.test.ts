import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createLog } from '../../../../../agent/kernel/log.ts';
import {
  createSuppressedStore,
  type SuppressedStoreDeps,
} from '../../../../../agent/motion/suppressed/store.ts';
import { HOUR_MS, note, NOW_MS } from './rig.ts';

let dir = '';
const clock = { wallMs: NOW_MS, nowMs: () => clock.wallMs };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-suppressed-'));
  clock.wallMs = NOW_MS;
});
afterEach(() => rm(dir, { recursive: true }));

async function open(more: Partial<SuppressedStoreDeps> = {}) {
  const store = createSuppressedStore({ dir, clock, log: createLog('silent'), ...more });
  await store.start();
  return store;
}
/** One note each ten minutes. */
async function fill(store: Awaited<ReturnType<typeof open>>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    clock.wallMs = NOW_MS + n * 600_000;
    store.keep('gate', note(clock.wallMs));
    await store.settled();
  }
}
async function bytesOnDisk(): Promise<number> {
  let sum = 0;
  for (const file of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (file.isFile()) sum += Math.ceil((await stat(join(file.parentPath, file.name))).size / 4096) * 4096;
  return sum;
}

test('notes come back newest first, of one camera or of all', async () => {
  const store = await open();
  store.keep('gate', note(NOW_MS));
  store.keep('yard', note(NOW_MS + 1));
  store.keep('gate', note(NOW_MS + 2, 'too-small'));
  await store.settled();
  const all = await store.list({ limit: 10 });
  assert.deepEqual(
    all.map(({ cameraId, record }) => [cameraId, record.reason]),
    [
      ['gate', 'too-small'],
      ['yard', 'in-place'],
      ['gate', 'in-place'],
    ],
  );
  assert.equal((await store.list({ limit: 10, cameraId: 'gate' })).length, 2);
  assert.equal((await store.list({ limit: 1 })).length, 1);
  assert.deepEqual(await store.list({ limit: 10, cameraId: 'nobody' }), []);
  const [newest = assert.fail()] = all;
  assert.deepEqual(await store.get('gate', newest.id), newest);
  assert.equal(await store.get('gate', '../../etc/passwd'), undefined);
});

test('a camera never has more bytes than its budget, and the oldest go first', async () => {
  const store = await open({ budgetBytes: 40_960 });
  await fill(store, 30);
  await store.settled();
  assert.ok((await bytesOnDisk()) <= 40_960);
  const kept = await store.list({ limit: 50 });
  assert.equal(kept.length, 10);
  assert.equal(kept[0]?.record.atMs, NOW_MS + 29 * 600_000);
  assert.equal(kept.at(-1)?.record.atMs, NOW_MS + 20 * 600_000);
  store.keep('gate', note(clock.wallMs + HOUR_MS, 'huge', 50_000));
  await store.settled();
  assert.equal((await store.list({ limit: 50 })).length, 10);
});

test('notes survive a restart, and a smaller budget holds from its start', async () => {
  const store = await open();
  await fill(store, 12);
  await store.stop();
  assert.equal((await (await open()).list({ limit: 50 })).length, 12);
  const smaller = await open({ budgetBytes: 16_384 });
  assert.equal((await smaller.list({ limit: 50 })).length, 4);
  assert.ok((await bytesOnDisk()) <= 16_384);
});

test('a windy day does not fill it: a minute apart, six an hour of one reason, 24 in all, restart or not', async () => {
  let store = await open();
  for (let second = 0; second < 3_600; second += 5) {
    clock.wallMs = NOW_MS + second * 1_000;
    for (let r = 0; r < 8; r++) store.keep('gate', note(clock.wallMs + r, `reason-${'abcdefgh'[r]}`, 10));
    if (second % 900 !== 0) continue;
    await store.stop();
    store = await open();
  }
  await store.settled();
  const kept = await store.list({ limit: 100 });
  assert.equal(kept.length, 24);
  const ofOne = kept.filter(({ record }) => record.reason === 'reason-a').map(({ record }) => record.atMs);
  assert.ok(ofOne.length <= 6);
  for (let i = 1; i < ofOne.length; i++) assert.ok((ofOne[i - 1] ?? 0) - (ofOne[i] ?? 0) >= 60_000);
  store.keep('gate', note(NOW_MS + 2 * HOUR_MS, 'reason-a', 10));
  await store.settled();
  assert.equal((await store.list({ limit: 100 })).length, 25);
});

test('garbage and torn files are tolerated and removed', async () => {
  const store = await open();
  store.keep('gate', note(NOW_MS));
  await store.settled();
  const camera = join(dir, 'gate');
  await writeFile(join(camera, '1700000000000-in-place.json'), '{"version":1,"atMs":17');
  await writeFile(join(camera, '1700000000001-in-place.json'), '{"version":2}');
  await writeFile(join(camera, '1700000000002-in-place.json'), '');
  await writeFile(join(camera, '1700000000003-in-place.json.part'), 'half');
  await writeFile(join(camera, 'notes.txt'), 'x');
  await writeFile(join(camera, '1700000000004-in-place.json'), Buffer.from([0, 255, 3]));
  await writeFile(join(camera, '1700000000005-in-place.json'), 'null');
  await mkdir(join(camera, '1700000000006-in-place.json'));
  await writeFile(join(dir, 'counts.json'), '{"hours":[{"cameraId":5},null');
  const again = await open();
  assert.equal((await again.list({ limit: 50 })).length, 1);
  assert.deepEqual(again.hours({ limit: 5 }), []);
  await again.settled();
  assert.equal((await readdir(camera)).length, 1);
});

test('a note from a clock that was set back later is the first to go', async () => {
  const store = await open({ budgetBytes: 8_192 });
  store.keep('gate', note(Date.UTC(2099, 0, 1)));
  await store.settled();
  await fill(store, 3);
  assert.deepEqual(
    (await store.list({ limit: 9 })).map(({ record }) => record.atMs),
    [NOW_MS + 1_200_000, NOW_MS + 600_000],
  );
});

test('counts are kept by hour and reason, across restarts, with few writes', async () => {
  const store = await open();
  for (let second = 0; second <= 2 * 3_600; second += 10) {
    clock.wallMs = NOW_MS + second * 1_000;
    store.count('gate', { 'in-place': Math.floor(second / 60), lighting: 1 });
  }
  await store.stop();
  const again = await open();
  again.count('gate', { 'in-place': 2 });
  assert.deepEqual(again.hours({ limit: 9, cameraId: 'gate' }), [
    { cameraId: 'gate', hourMs: NOW_MS + 2 * HOUR_MS, reasons: { 'in-place': 3 } },
    { cameraId: 'gate', hourMs: NOW_MS + HOUR_MS, reasons: { 'in-place': 60 } },
    { cameraId: 'gate', hourMs: NOW_MS, reasons: { 'in-place': 59, lighting: 1 } },
  ]);
  assert.deepEqual(again.hours({ limit: 9, cameraId: 'yard' }), []);
});

test('a disk that refuses is logged and never thrown at the recording', async () => {
  const lines: string[] = [];
  await writeFile(join(dir, 'file'), 'in the way');
  const log = createLog('info', (line) => lines.push(line));
  const store = createSuppressedStore({ dir: join(dir, 'file'), clock, log });
  await store.start();
  store.keep('gate', note(NOW_MS));
  await store.stop();
  assert.deepEqual(await store.list({ limit: 5 }), []);
  assert.ok(lines.some((line) => line.includes('suppressed.store')));
});
