import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOfHouse } from '../../../../agent/dashboard/house.ts';
import type { StorageState } from '../../../../agent/health/health.ts';
import type { Condition } from '../../../../agent/kernel/conditions.ts';
import { NOW_MS, someCamera, someMachine, somePower } from './dashboard-world.ts';

const facts = {
  cameras: [someCamera()],
  link: { state: 'online', sinceMs: NOW_MS - 5000, detail: null },
  upload: { state: 'idle', clipId: null, detail: null },
  waiting: 0,
  power: null,
  machine: { health: null, disk: null, storage: null },
  refused: 0,
  conditions: [],
} as const;
const pond = someCamera({ cameraId: 'pond', title: 'Pond' });

test('all is well when cameras are live, the link is there and nothing waits', () => {
  const house = stateOfHouse(facts);
  assert.deepEqual(house, {
    state: 'well',
    level: 'calm',
    cameras: [],
    sinceUtc: null,
    waiting: 0,
    condition: null,
  });
});

test('a blind camera comes before everything else, and is named with the time it went blind', () => {
  const house = stateOfHouse({
    ...facts,
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

const onPower = (changes: Parameters<typeof somePower>[0]) =>
  stateOfHouse({ ...facts, power: somePower(changes) });

test('a battery that ends is trouble and comes before what it takes away; one that lasts is a notice', () => {
  assert.equal(onPower({}).state, 'well');
  assert.equal(onPower({ state: 'unknown' }).state, 'well');
  const sinceMs = NOW_MS - 900_000;
  const house = onPower({ state: 'on-battery', sinceMs });
  assert.deepEqual(
    [house.state, house.level, house.sinceUtc],
    ['on-battery', 'notice', new Date(sinceMs).toISOString()],
  );
  const broken = {
    ...facts,
    cameras: [{ ...pond, state: 'down' }],
    link: { state: 'offline', sinceMs: NOW_MS, detail: null },
  } as const;
  assert.equal(stateOfHouse({ ...broken, power: somePower({ state: 'on-battery' }) }).state, 'camera-down');
  for (const [state, expected] of [
    ['low', 'battery-low'],
    ['critical', 'battery-critical'],
  ] as const) {
    const ending = stateOfHouse({ ...broken, power: somePower({ state }) });
    assert.deepEqual([ending.state, ending.level], [expected, 'trouble']);
  }
});

test('an appliance that switches itself off says so before everything, whoever asked for it', () => {
  for (const shutdown of ['sealing', 'telling', 'waiting', 'requested'] as const) {
    const house = stateOfHouse({ ...facts, cameras: [], power: somePower({ shutdown }) });
    assert.deepEqual([house.state, house.level], ['switching-off', 'trouble']);
  }
});

const GB = 1_000_000_000;
const onMachine = (changes: Parameters<typeof someMachine>[0], storage: StorageState | null = 'room') =>
  stateOfHouse({
    ...facts,
    machine: {
      health: someMachine(changes).facts,
      disk: { diskFreeBytes: 41 * GB, diskTotalBytes: 58 * GB },
      storage,
    },
  });

test('a weak supply, a hot processor and a filling disk are notices; a full disk is trouble', () => {
  const seen = (house: ReturnType<typeof stateOfHouse>) => [house.state, house.level];
  assert.deepEqual(seen(onMachine({ throttled: ['under-voltage'] })), ['under-voltage', 'notice']);
  assert.deepEqual(seen(onMachine({ cpuCelsius: 80 })), ['hot', 'notice']);
  assert.deepEqual(seen(onMachine({ throttled: ['soft-temperature-limit'] })), ['hot', 'notice']);
  assert.deepEqual(seen(onMachine({}, 'nearly-full')), ['disk-nearly-full', 'notice']);
  assert.deepEqual(seen(onMachine({}, 'full')), ['disk-full', 'trouble']);
});

test('what was once, or cannot be measured, troubles nobody', () => {
  const once = ['under-voltage-since-boot', 'soft-temperature-limit-since-boot'];
  assert.equal(onMachine({ throttled: once, cpuCelsius: 79.9 }).state, 'well');
  assert.equal(onMachine({}, null).state, 'well');
});

test('a camera that is tried again still has no picture: the sentence does not change with each try', () => {
  const trying = someCamera({ state: 'starting', detail: 'no picture came for 15 s' });
  assert.deepEqual(stateOfHouse({ ...facts, cameras: [trying] }).state, 'camera-down');
  const first = someCamera({ state: 'starting', detail: null });
  assert.deepEqual(stateOfHouse({ ...facts, cameras: [first] }).state, 'starting');
});

test('refused settings are a notice that gives way to anything worse', () => {
  const house = stateOfHouse({ ...facts, refused: 2 });
  assert.deepEqual([house.state, house.level], ['settings-refused', 'notice']);
  const offline = { state: 'offline', sinceMs: NOW_MS, detail: null } as const;
  assert.equal(stateOfHouse({ ...facts, refused: 2, link: offline }).state, 'offline');
});

const refusedAtPond: Condition = {
  code: 'recording-refused',
  level: 'trouble',
  subject: 'pond',
  detail: '3 movements were not recorded: no room',
  sinceMs: NOW_MS - 4000,
};

test('a movement that was not recorded is trouble, named with its camera, before a missing link', () => {
  const house = stateOfHouse({
    ...facts,
    cameras: [someCamera(), pond],
    link: { state: 'offline', sinceMs: NOW_MS, detail: null },
    conditions: [refusedAtPond],
  });
  assert.deepEqual([house.state, house.level, house.cameras], ['condition', 'trouble', ['Pond']]);
  assert.deepEqual(house.condition, { code: 'recording-refused', subject: 'pond' });
  assert.equal(house.sinceUtc, new Date(NOW_MS - 4000).toISOString());
});

test('whatever is wrong, the house is not well: a notice is a notice while nothing worse is there', () => {
  const notice = { ...refusedAtPond, code: 'clips-parked', level: 'notice', subject: null } as const;
  const house = stateOfHouse({ ...facts, conditions: [notice] });
  assert.deepEqual(
    [house.state, house.level, house.condition?.code],
    ['condition', 'notice', 'clips-parked'],
  );
  const blind = stateOfHouse({ ...facts, cameras: [{ ...pond, state: 'down' }], conditions: [notice] });
  assert.equal(blind.state, 'camera-down');
});

test('a house whose ledger is silent is not well', () => {
  const house = stateOfHouse({ ...facts, waiting: null });
  assert.deepEqual([house.state, house.level, house.waiting], ['starting', 'notice', null]);
});
