import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createSuppressedStore, type SuppressedRecord } from '../../../../agent/motion/motion.ts';
import { packThumbnail } from '../../../../agent/motion/suppressed/pictures.ts';
import { ask, createWorld, NOW_MS, type World } from './dashboard-world.ts';

let dir = '';
let world: World;
const get = (path: string) => ask(world.dashboard.url(), path);

const grey = (level: number, afterMs: number) => packThumbnail(new Uint8Array(80 * 45).fill(level), afterMs);
const record: SuppressedRecord = {
  version: 1,
  atMs: NOW_MS - 60_000,
  reason: 'zone-dwell',
  models: [
    {
      sensitivity: 5,
      reason: null,
      quiet: false,
      sightings: [
        {
          region: [0.25, 0.2, 0.5, 0.6],
          confirmed: true,
          seenMs: 1_400,
          frames: 7,
          travel: 0.12,
          path: 0.15,
          stays: [{ zone: 'drive', ms: 1_200, told: false }],
        },
      ],
    },
  ],
  settings: {
    sensitivity: 5,
    zones: [
      {
        id: 'drive',
        polygon: [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ],
        dwellMs: 5_000,
      },
    ],
  },
  pictures: [grey(40, -600), grey(80, 0), grey(120, 1_200)],
};

/** How it went on. */
const later = record.models.map((model) => ({
  ...model,
  sightings: model.sightings.map((one) => ({ ...one, seenMs: 4_400 })),
}));

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dashboard-why-'));
  const store = createSuppressedStore({ dir, clock: { nowMs: () => NOW_MS }, log: createLog('silent') });
  await store.start();
  store.keep('gate', record);
  const gone = { ...record, atMs: NOW_MS - 120_000, reason: 'too-small', models: [], pictures: [] };
  store.keep('gone', { ...gone, last: { afterMs: 3_000, models: later } });
  store.count('gate', { 'zone-dwell': 3 });
  await store.settled();
  world = createWorld({ suppressed: store });
  await world.dashboard.start();
});
after(async () => {
  await world.dashboard.stop();
  await rm(dir, { recursive: true });
});

test('each note tells camera, time, reason and numbers, newest first, with the counts of the hours', async () => {
  const reply = await get('/api/suppressed');
  assert.equal(reply.status, 200);
  const { suppressed, hours } = reply.json();
  assert.deepEqual(
    suppressed.map((one: { cameraTitle: string; reason: string }) => [one.cameraTitle, one.reason]),
    [
      ['Gate', 'zone-dwell'],
      ['gone', 'too-small'],
    ],
  );
  const [{ atUtc, largest, replay, regions }] = suppressed;
  assert.equal(atUtc, '2026-11-20T12:09:00.000Z');
  assert.deepEqual([largest.seenMs, largest.travel, regions], [1_400, 0.12, 1]);
  assert.deepEqual(largest.stays, [{ zone: 'drive', ms: 1_200 }]);
  assert.deepEqual(replay, { kind: 'suppressed', reason: 'zone-dwell' });
  assert.equal(suppressed[1].picture, null);
  assert.deepEqual(hours, [
    { cameraId: 'gate', reasons: { 'zone-dwell': 3 }, hourUtc: '2026-11-20T12:00:00.000Z' },
  ]);
});

test('the numbers are the last ones: they say how long it lasted', async () => {
  const [{ largest }] = (await get('/api/suppressed?camera=gone')).json().suppressed;
  assert.equal(largest.seenMs, 4_400);
});

test('camera and limit choose, and nonsense is refused in one sentence', async () => {
  assert.equal((await get('/api/suppressed?limit=1')).json().suppressed.length, 1);
  assert.equal((await get('/api/suppressed?camera=gone')).json().suppressed[0].cameraId, 'gone');
  assert.deepEqual((await get('/api/suppressed?camera=nobody')).json().suppressed, []);
  for (const query of ['limit=0', 'limit=51', 'limit=x', 'camera=../x', 'camera=']) {
    const reply = await get(`/api/suppressed?${query}`);
    assert.equal(reply.status, 400);
    assert.match(reply.json().title, /\.$/);
  }
});

test('the picture is a PNG of all pictures side by side, with a frame around what moved', async () => {
  const [{ picture }] = (await get('/api/suppressed?camera=gate')).json().suppressed;
  const reply = await get(picture);
  assert.equal(reply.headers['content-type'], 'image/png');
  const png = reply.body;
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  const width = png.readUInt32BE(16);
  assert.deepEqual([width, png.readUInt32BE(20)], [3 * 80 + 4, 45]);
  const at = png.indexOf('IDAT');
  const pixels = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  const pixel = (x: number, y: number) => pixels[y * (width + 1) + 1 + x];
  assert.deepEqual([pixel(5, 5), pixel(80 + 2 + 5, 5), pixel(2 * 82 + 5, 5)], [40, 80, 120]);
  assert.deepEqual([pixel(82 + 20, 15), pixel(82 + 30, 9), pixel(20, 15)], [255, 255, 40]);
});

test('a note that is not there is a 404, and no text of the address becomes a path', async () => {
  for (const path of ['/suppressed/gate/x.png', '/suppressed/..%2f/x.png', '/suppressed/nobody/1.png'])
    assert.equal((await get(path)).status, 404);
});

test('an appliance that keeps no notes says so with an empty list', async () => {
  const bare = createWorld();
  await bare.dashboard.start();
  const reply = await ask(bare.dashboard.url(), '/api/suppressed');
  assert.deepEqual(reply.json(), { suppressed: [], hours: [] });
  await bare.dashboard.stop();
});
