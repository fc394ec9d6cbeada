import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOfHouse } from '../../../../agent/dashboard/house.ts';
import { NOW_MS, someCamera } from './dashboard-world.ts';

const facts = {
  cameras: [someCamera()],
  link: { state: 'online', sinceMs: NOW_MS - 5000, detail: null },
  upload: { state: 'idle', clipId: null, detail: null },
  waiting: 0,
} as const;
const pond = someCamera({ cameraId: 'pond', title: 'Pond' });

test('all is well when cameras are live, the link is there and nothing waits', () => {
  const house = stateOfHouse(facts);
  assert.deepEqual(house, { state: 'well', level: 'calm', cameras: [], sinceUtc: null, waiting: 0 });
});

test('a blind camera comes before everything else, and is named with the time it went blind', () => {
  const house = stateOfHouse({
    cameras: [
      someCamera(),
      { ...pond, state: 'stalled', sinceMs: NOW_MS - 7000 },
      someCamera({ title: 'Barn', state: 'down', sinceMs: NOW_MS - 9000 }),
    ],
    link: { state: 'offline', sinceMs: NOW_MS - 60_000, detail: 'no route' },
    upload: facts.upload,
    waiting: 4,
  });
  assert.equal(house.state, 'camera-down');
  assert.equal(house.level, 'trouble');
  assert.deepEqual(house.cameras, ['Pond', 'Barn']);
  assert.equal(house.sinceUtc, new Date(NOW_MS - 9000).toISOString());
  assert.equal(house.waiting, 4);
});

test('a missing link is a notice with its time; a refused one is trouble', () => {
  const link = (state: 'offline' | 'refused' | 'connecting') =>
    stateOfHouse({ ...facts, link: { state, sinceMs: NOW_MS, detail: null }, waiting: 2 });
  assert.deepEqual([link('offline').state, link('offline').level], ['offline', 'notice']);
  assert.equal(link('offline').sinceUtc, new Date(NOW_MS).toISOString());
  assert.deepEqual([link('refused').state, link('refused').level], ['refused', 'trouble']);
  assert.deepEqual([link('connecting').state, link('connecting').level], ['starting', 'notice']);
});

test('clips on their way are well; clips that only wait are a notice', () => {
  const sending = stateOfHouse({ ...facts, waiting: 3, upload: { ...facts.upload, state: 'uploading' } });
  assert.deepEqual([sending.state, sending.level, sending.waiting], ['sending', 'calm', 3]);
  const waiting = stateOfHouse({ ...facts, waiting: 3, upload: { ...facts.upload, state: 'waiting' } });
  assert.deepEqual([waiting.state, waiting.level], ['waiting', 'notice']);
});

test('a recording is named, and a house without cameras is not well', () => {
  const recording = stateOfHouse({ ...facts, cameras: [someCamera(), { ...pond, recording: true }] });
  assert.deepEqual([recording.state, recording.cameras], ['recording', ['Pond']]);
  assert.deepEqual(stateOfHouse({ ...facts, cameras: [] }).state, 'no-cameras');
});
