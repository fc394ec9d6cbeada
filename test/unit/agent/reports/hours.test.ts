import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraConfig, reportsRig } from './rig.ts';

test('suppressed triggers are told by the hour, by reason, and nothing of a camera without any', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  house.cameras[0]!.suppressed = { 'too-small': 2 };
  await reports.start();
  await seconds(600);
  house.cameras[0]!.suppressed = { 'too-small': 5, lighting: 1 };
  await seconds(2_990);
  assert.deepEqual(of('trigger.suppressed'), []);
  await seconds(11);
  await seconds(3_600);
  house.cameras[0]!.suppressed = { 'too-small': 6, lighting: 1 };
  await seconds(3_600);
  assert.deepEqual(
    of('trigger.suppressed').map(({ data }) => data),
    [
      { cameraId: 'gate', hourUtc: '2026-06-01T12:00:00.000Z', reasons: { 'too-small': 5, lighting: 1 } },
      { cameraId: 'gate', hourUtc: '2026-06-01T14:00:00.000Z', reasons: { 'too-small': 1 } },
    ],
  );
});

test('counts that begin anew are counted from nothing, and what the running hour has is told when the agent stops', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  house.cameras[0]!.suppressed = { 'too-small': 9 };
  await reports.start();
  await seconds(5);
  house.cameras[0]!.suppressed = { 'too-small': 2 };
  await seconds(5);
  await reports.stop();
  assert.deepEqual(
    of('trigger.suppressed').map(({ data }) => data['reasons']),
    [{ 'too-small': 11 }],
  );
});

test('a clock that is set puts the right name on the hour, and counts nothing twice', async (t) => {
  const rig = reportsRig(t);
  rig.clock.setWall(Date.UTC(1970, 0, 1, 0, 10));
  await rig.reports.start();
  rig.house.cameras[0]!.suppressed = { 'too-small': 3 };
  await rig.seconds(40);
  rig.clock.setWall(Date.UTC(2026, 10, 22, 8, 5));
  await rig.seconds(3_500);
  assert.deepEqual(
    rig.of('trigger.suppressed').map(({ data }) => data),
    [{ cameraId: 'gate', hourUtc: '2026-11-22T08:00:00.000Z', reasons: { 'too-small': 3 } }],
  );
});

test('a heartbeat comes a minute after the start and every quarter of an hour', async (t) => {
  const { reports, seconds, house, of, clock } = reportsRig(t);
  house.cameras[1]!.state = 'unreachable';
  Object.assign(house.summary, { waiting: 2, outgoing: 7, oldestWaitingMs: clock.nowMs() });
  await reports.start();
  const startMs = clock.monotonicMs();
  await seconds(3_600);
  assert.deepEqual(
    of('heartbeat').map(({ atMs }) => (atMs - startMs) / 60_000),
    [1, 16, 31, 46],
  );
  assert.deepEqual(of('heartbeat')[0]?.data, {
    backlog: {
      waiting: 2,
      awaitingVerdict: 1,
      oldestWaitingUtc: '2026-06-01T12:00:00.000Z',
      events: 7,
    },
    health: house.facts,
    camerasLive: 1,
    cameras: 2,
  });
});

test('the twin is reported at once, soon after something was told or set, and every quarter of an hour', async (t) => {
  const { reports, seconds, house, handed, clock } = reportsRig(t);
  await reports.start();
  await seconds(30);
  assert.equal(handed.length, 2, 'at the start and when the first states had held');
  await seconds(14 * 60);
  assert.equal(handed.length, 2);
  await seconds(60);
  assert.equal(handed.length, 3);
  const expectReport = async (why: string, change: () => void, withinSeconds: number) => {
    const before = handed.length;
    change();
    const atMs = clock.monotonicMs();
    await seconds(60);
    assert.equal(handed.length, before + 1, why);
    assert.ok((handed.at(-1)?.atMs ?? 0) - atMs <= withinSeconds * 1_000, why);
  };
  await expectReport('camera', () => (house.cameras[0]!.state = 'unreachable'), 14);
  await expectReport('desired properties', () => (house.desired = { version: 4, refused: [] }), 4);
  await expectReport(
    'setting',
    () => (house.settings = { ...house.settings, cameras: [cameraConfig('gate', { sensitivity: 9 })] }),
    4,
  );
  assert.equal(handed.at(-1)?.reported.cameras['gate']?.settings?.sensitivity, 9);
  await expectReport('under-voltage', () => (house.facts!.throttled = ['under-voltage']), 14);
  await expectReport('power', () => reports.powerChanged(Object.assign(house.power, { state: 'low' })), 2);
  const before = handed.length;
  house.settings = structuredClone(house.settings);
  await seconds(60);
  assert.equal(handed.length, before, 'the same settings in other objects are no change');
});
