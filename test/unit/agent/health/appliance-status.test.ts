import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allThatMatters, applianceStatus } from '../../../../agent/health/appliance-status.ts';
import type { StorageState } from '../../../../agent/health/health.ts';
import type { Condition } from '../../../../agent/kernel/conditions.ts';
import { NOW_MS, someCamera, someMachine, somePower } from '../dashboard/dashboard-world.ts';

const facts = {
  cameras: [someCamera()],
  link: { state: 'online', sinceMs: NOW_MS - 5000, detail: null },
  upload: { state: 'idle', clipId: null, detail: null },
  summary: { waiting: 0 },
  power: null,
  health: null,
  disk: null,
  storage: null,
  desired: null,
  conditions: [],
  news: null,
} as const;
const pond = someCamera({ cameraId: 'pond', title: 'Pond' });

test('all is well when cameras are live, the link is there and nothing waits', () => {
  const status = applianceStatus(facts);
  assert.deepEqual(status, {
    state: 'well',
    level: 'calm',
    cameras: [],
    sinceUtc: null,
    waiting: 0,
    count: null,
    condition: null,
  });
});

test('a blind camera comes before everything else, and is named with the time it went blind', () => {
  const status = applianceStatus({
    ...facts,
    cameras: [
      someCamera(),
      { ...pond, state: 'stalled', sinceMs: NOW_MS - 7000 },
      someCamera({ title: 'Barn', state: 'unreachable', sinceMs: NOW_MS - 9000 }),
    ],
    link: { state: 'offline', sinceMs: NOW_MS - 60_000, detail: 'no route' },
    upload: facts.upload,
    summary: { waiting: 4 },
  });
  assert.equal(status.state, 'camera-down');
  assert.equal(status.level, 'trouble');
  assert.deepEqual(status.cameras, ['Pond', 'Barn']);
  assert.equal(status.sinceUtc, new Date(NOW_MS - 9000).toISOString());
  assert.equal(status.waiting, 4);
});

test('a missing link is a notice with its time; a refused one is trouble', () => {
  const link = (state: 'offline' | 'refused' | 'connecting') =>
    applianceStatus({ ...facts, link: { state, sinceMs: NOW_MS, detail: null }, summary: { waiting: 2 } });
  assert.deepEqual([link('offline').state, link('offline').level], ['offline', 'notice']);
  assert.equal(link('offline').sinceUtc, new Date(NOW_MS).toISOString());
  assert.deepEqual([link('refused').state, link('refused').level], ['refused', 'trouble']);
  assert.deepEqual([link('connecting').state, link('connecting').level], ['starting', 'notice']);
});

test('clips on their way are well; clips that only wait are a notice', () => {
  const sending = applianceStatus({
    ...facts,
    summary: { waiting: 3 },
    upload: { ...facts.upload, state: 'uploading' },
  });
  assert.deepEqual([sending.state, sending.level, sending.waiting], ['sending', 'calm', 3]);
  const waiting = applianceStatus({
    ...facts,
    summary: { waiting: 3 },
    upload: { ...facts.upload, state: 'waiting' },
  });
  assert.deepEqual([waiting.state, waiting.level], ['waiting', 'notice']);
});

test('a recording is named, and an appliance without cameras is not well', () => {
  const recording = applianceStatus({ ...facts, cameras: [someCamera(), { ...pond, recording: true }] });
  assert.deepEqual([recording.state, recording.cameras], ['recording', ['Pond']]);
  assert.deepEqual(applianceStatus({ ...facts, cameras: [] }).state, 'no-cameras');
});

const onPower = (changes: Parameters<typeof somePower>[0]) =>
  applianceStatus({ ...facts, power: somePower(changes) });

test('a battery that ends is trouble and comes before what it takes away; one that lasts is a notice', () => {
  assert.equal(onPower({}).state, 'well');
  assert.equal(onPower({ state: 'unknown' }).state, 'well');
  const sinceMs = NOW_MS - 900_000;
  const status = onPower({ state: 'on-battery', sinceMs });
  assert.deepEqual(
    [status.state, status.level, status.sinceUtc],
    ['on-battery', 'notice', new Date(sinceMs).toISOString()],
  );
  const broken = {
    ...facts,
    cameras: [{ ...pond, state: 'unreachable' }],
    link: { state: 'offline', sinceMs: NOW_MS, detail: null },
  } as const;
  assert.equal(
    applianceStatus({ ...broken, power: somePower({ state: 'on-battery' }) }).state,
    'camera-down',
  );
  for (const [state, expected] of [
    ['low', 'battery-low'],
    ['critical', 'battery-critical'],
  ] as const) {
    const ending = applianceStatus({ ...broken, power: somePower({ state }) });
    assert.deepEqual([ending.state, ending.level], [expected, 'trouble']);
  }
});

test('an appliance that switches itself off says so before everything, whoever asked for it', () => {
  for (const shutdown of ['sealing', 'telling', 'waiting', 'requested'] as const) {
    const status = applianceStatus({ ...facts, cameras: [], power: somePower({ shutdown }) });
    assert.deepEqual([status.state, status.level], ['switching-off', 'trouble']);
  }
});

const GB = 1_000_000_000;
const onMachine = (changes: Parameters<typeof someMachine>[0], storage: StorageState | null = 'room') =>
  applianceStatus({
    ...facts,
    health: someMachine(changes).facts,
    disk: { diskFreeBytes: 41 * GB, diskTotalBytes: 58 * GB },
    storage,
  });

test('a weak supply, a hot processor and a filling disk are notices; a full disk is trouble', () => {
  const seen = (status: ReturnType<typeof applianceStatus>) => [status.state, status.level];
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
  assert.deepEqual(applianceStatus({ ...facts, cameras: [trying] }).state, 'camera-down');
  const first = someCamera({ state: 'starting', detail: null });
  assert.deepEqual(applianceStatus({ ...facts, cameras: [first] }).state, 'starting');
});

const condition = (code: Condition['code'], level: Condition['level']): Condition => ({
  ...{ code, level, subject: null },
  ...{ detail: 'it is so', sinceMs: NOW_MS },
});
const PERSONS = {
  persons: { count: 2, latestMs: NOW_MS - 3_600_000, cameraIds: ['pond'] },
  overdueSinceMs: null,
};

test('a person of the last hours comes before everything that is wrong, with place, time and number of clips', () => {
  const status = applianceStatus({
    ...facts,
    cameras: [someCamera(), { ...pond, state: 'unreachable' }],
    power: somePower({ state: 'critical' }),
    conditions: [condition('clips-lost', 'trouble')],
    news: PERSONS,
  });
  assert.deepEqual(
    [status.state, status.level, status.cameras, status.count, status.sinceUtc],
    ['person-seen', 'trouble', ['Pond'], 2, new Date(NOW_MS - 3_600_000).toISOString()],
  );
});

test('everything that matters is told, the worst first, and what may be calm only when nothing is wrong', () => {
  const told = allThatMatters({
    ...facts,
    cameras: [someCamera(), { ...pond, state: 'unreachable' }],
    power: somePower({ state: 'on-battery' }),
    link: { state: 'offline', sinceMs: NOW_MS, detail: null },
    storage: 'full',
    summary: { waiting: 3 },
    upload: { ...facts.upload, state: 'waiting' },
    desired: { refused: [{ path: 'a', reason: 'b' }] },
    conditions: [
      condition('clips-lost', 'trouble'),
      condition('recording-refused', 'trouble'),
      condition('room-failed', 'trouble'),
      condition('clips-parked', 'notice'),
      condition('ledger-mended', 'notice'),
    ],
    news: { ...PERSONS, overdueSinceMs: NOW_MS - 7_200_000 },
  });
  assert.deepEqual(
    told.map(({ state, condition: of }) => of?.code ?? state),
    [
      ...['person-seen', 'clips-lost', 'recording-refused', 'camera-down', 'disk-full', 'room-failed'],
      ...['clips-parked', 'on-battery', 'offline', 'verdicts-overdue', 'settings-refused', 'ledger-mended'],
      'waiting',
    ],
  );
  assert.deepEqual(
    allThatMatters(facts).map(({ state }) => state),
    ['well'],
  );
});

test('a notice about evidence does not hide a trouble: the light blinks for a dark camera', () => {
  const status = applianceStatus({
    ...facts,
    cameras: [{ ...pond, state: 'unreachable' }],
    conditions: [condition('clips-parked', 'notice')],
  });
  assert.deepEqual([status.state, status.level], ['camera-down', 'trouble']);
});

test('refused settings are a notice that gives way to anything worse', () => {
  const status = applianceStatus({
    ...facts,
    desired: {
      refused: [
        { path: 'a', reason: 'b' },
        { path: 'c', reason: 'd' },
      ],
    },
  });
  assert.deepEqual([status.state, status.level], ['settings-refused', 'notice']);
  const offline = { state: 'offline', sinceMs: NOW_MS, detail: null } as const;
  assert.equal(
    applianceStatus({
      ...facts,
      desired: {
        refused: [
          { path: 'a', reason: 'b' },
          { path: 'c', reason: 'd' },
        ],
      },
      link: offline,
    }).state,
    'offline',
  );
});

const refusedAtPond: Condition = {
  code: 'recording-refused',
  level: 'trouble',
  subject: 'pond',
  detail: '3 movements were not recorded: no room',
  sinceMs: NOW_MS - 4000,
};

test('a movement that was not recorded is trouble, named with its camera, before a missing link', () => {
  const status = applianceStatus({
    ...facts,
    cameras: [someCamera(), pond],
    link: { state: 'offline', sinceMs: NOW_MS, detail: null },
    conditions: [refusedAtPond],
  });
  assert.deepEqual([status.state, status.level, status.cameras], ['condition', 'trouble', ['Pond']]);
  assert.deepEqual(status.condition, { code: 'recording-refused', subject: 'pond' });
  assert.equal(status.sinceUtc, new Date(NOW_MS - 4000).toISOString());
});

test('whatever is wrong, the appliance is not well: a notice is a notice while nothing worse is there', () => {
  const notice = { ...refusedAtPond, code: 'clips-parked', level: 'notice', subject: null } as const;
  const status = applianceStatus({ ...facts, conditions: [notice] });
  assert.deepEqual(
    [status.state, status.level, status.condition?.code],
    ['condition', 'notice', 'clips-parked'],
  );
  const blind = applianceStatus({
    ...facts,
    cameras: [{ ...pond, state: 'unreachable' }],
    conditions: [notice],
  });
  assert.equal(blind.state, 'camera-down');
});

test('an appliance whose ledger is silent is not well', () => {
  const status = applianceStatus({ ...facts, summary: null });
  assert.deepEqual([status.state, status.level, status.waiting], ['starting', 'notice', null]);
});
