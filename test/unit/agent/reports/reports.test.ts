import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REPORTS } from '../../../../agent/reports/pace.ts';
import { createReports } from '../../../../agent/reports/reports.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { benchLedger } from '../ledger/bench.ts';
import { askingOf, camera, quietHouse, reportsRig, type Told } from './rig.ts';

const states = (told: readonly Told[]) => told.map(({ data }) => data['state']);

/** Most tellings within any hour. */
const mostInAnHour = (told: readonly Told[]) =>
  Math.max(
    0,
    ...told.map(({ atMs }) => told.filter((one) => one.atMs >= atMs && one.atMs < atMs + 3_600_000).length),
  );

test('after a start every state is told once, when it has held; then only changes are', async (t) => {
  const { reports, told, seconds, house, of } = reportsRig(t);
  await reports.start();
  await seconds(9);
  assert.deepEqual(told, []);
  await seconds(2);
  assert.deepEqual(
    told.map(({ event, data }) => [event, data['cameraId'], data['state']]),
    [
      ['camera.state', 'gate', 'live'],
      ['camera.state', 'yard', 'live'],
      ['link.state', undefined, 'online'],
      ['power.state', undefined, 'on-mains'],
      ['storage.state', undefined, 'room'],
    ],
  );
  await seconds(30);
  assert.equal(told.length, 5);
  Object.assign(house.cameras[0]!, { state: 'unreachable', detail: 'camera gate: no route to host' });
  await seconds(12);
  assert.deepEqual(of('camera.state').at(-1)?.data, {
    cameraId: 'gate',
    state: 'unreachable',
    detail: 'camera gate: no route to host',
  });
  assert.equal(told.length, 6);
});

test('a stall that passes within ten seconds is not told', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  await reports.start();
  await seconds(15);
  house.cameras[0]!.state = 'stalled';
  await seconds(8);
  house.cameras[0]!.state = 'live';
  await seconds(60);
  assert.deepEqual(states(of('camera.state')), ['live', 'live']);
});

test('a camera that flaps for hours is told twelve times an hour at most, its last state in the end, and others at once', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  await reports.start();
  for (let i = 0; i < 3 * 240; i++) {
    house.cameras[0]!.state = i % 2 === 0 ? 'live' : 'unreachable';
    await seconds(15);
  }
  const gate = () => of('camera.state').filter(({ data }) => data['cameraId'] === 'gate');
  assert.equal(mostInAnHour(gate()), REPORTS.perHour);
  house.cameras[1]!.state = 'unreachable';
  house.cameras[0]!.state = 'stalled';
  await seconds(12);
  assert.deepEqual(of('camera.state').at(-1)?.data, { cameraId: 'yard', state: 'unreachable' });
  await seconds(3_600);
  assert.equal(gate().at(-1)?.data['state'], 'stalled');
  assert.equal(mostInAnHour(gate()), REPORTS.perHour);
});

test('that a dead camera is tried again and again is no news; that it is live is', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  house.cameras = [camera('gate', { state: 'starting' })];
  await reports.start();
  await seconds(15);
  for (let i = 0; i < 10; i++) {
    house.cameras[0]!.state = 'unreachable';
    await seconds(30);
    house.cameras[0]!.state = 'starting';
    await seconds(20);
  }
  house.cameras[0]!.state = 'live';
  await seconds(12);
  assert.deepEqual(states(of('camera.state')), ['starting', 'unreachable', 'live']);
});

test('a camera that is taken away and comes back is told anew', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  await reports.start();
  await seconds(12);
  const [gate, yard] = house.cameras;
  house.cameras = [gate!];
  await seconds(2);
  house.cameras = [gate!, yard!];
  await seconds(12);
  assert.deepEqual(
    of('camera.state').map(({ data }) => data['cameraId']),
    ['gate', 'yard', 'yard'],
  );
});

test('the link is told as online, offline or refused; connecting is between them, and a flapping one is bounded', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  const become = (state: typeof house.link.state, detail: string | null = null) => {
    house.link = { state, sinceMs: 0, detail };
  };
  become('connecting');
  await reports.start();
  await seconds(60);
  assert.deepEqual(of('link.state'), []);
  become('online');
  await seconds(12);
  become('connecting');
  await seconds(12);
  become('offline', 'SharedAccessKey=AAAA; timed out');
  await seconds(12);
  assert.deepEqual(of('link.state').at(-1)?.data, {
    state: 'offline',
    detail: 'SharedAccessKey=***; timed out',
  });
  for (let i = 0; i < 500; i++) {
    become(i % 2 === 0 ? 'online' : 'offline');
    await seconds(15);
  }
  assert.equal(mostInAnHour(of('link.state')), REPORTS.perHour);
});

test('a disk full of clips that are in the cloud is room; what waits for upload makes it nearly full, others make it full', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  const GB = 1_000_000_000;
  Object.assign(house.summary, { bytes: 20 * GB, bytesOnlyHere: 0 });
  await reports.start();
  await seconds(30);
  const step = async (bytesOnlyHere: number, diskFreeBytes: number) => {
    Object.assign(house.summary, { bytesOnlyHere });
    house.disk = { ...house.disk, diskFreeBytes };
    await seconds(30);
    return states(of('storage.state'));
  };
  assert.deepEqual(await step(17.9 * GB, 5 * GB), ['room']);
  assert.deepEqual(await step(18.1 * GB, 5 * GB), ['room', 'nearly-full']);
  assert.deepEqual(await step(17.5 * GB, 5 * GB), ['room', 'nearly-full'], 'not yet room again');
  assert.deepEqual(await step(16.5 * GB, 5 * GB), ['room', 'nearly-full', 'room']);
  house.summary.bytes = 200_000_000;
  assert.deepEqual(await step(0, 0.05 * GB), ['room', 'nearly-full', 'room', 'full']);
  assert.deepEqual(await step(0, 0.1 * GB), ['room', 'nearly-full', 'room', 'full'], 'not yet');
  assert.deepEqual((await step(0, 3 * GB)).at(-1), 'room');
  house.disk = { diskFreeBytes: 0, diskTotalBytes: 0 };
  await seconds(60);
  assert.equal(states(of('storage.state')).at(-1), 'room', 'a disk that cannot be read is not called full');
});

test('power is told at once, each state once, and switching off also when the share of the hour is spent', async (t) => {
  const { reports, seconds, house, of } = reportsRig(t);
  await reports.start();
  await seconds(12);
  const change = (changes: Partial<typeof house.power>) => {
    Object.assign(house.power, changes);
    reports.powerChanged({ ...house.power });
  };
  change({
    state: 'on-battery',
    minutesLeft: 120.4,
    percent: 66.7,
    sinceMs: Date.UTC(2026, 5, 1, 12, 0, 12),
  });
  change({});
  assert.deepEqual(of('power.state').at(-1)?.data, {
    state: 'on-battery',
    sinceUtc: '2026-06-01T12:00:12.000Z',
    volts: 12.31,
    amps: 0.04,
    percent: 67,
    minutesLeft: 120,
  });
  assert.equal(of('power.state').length, 2);
  for (let i = 0; i < 200; i++) change({ state: i % 2 === 0 ? 'on-mains' : 'on-battery' });
  assert.equal(of('power.state').length, REPORTS.powerPerHour);
  change({ state: 'critical' });
  for (const shutdown of ['sealing', 'telling', 'waiting', 'requested'] as const) change({ shutdown });
  assert.equal(of('power.state').length, REPORTS.powerPerHour + 5);
  assert.equal(of('power.state').at(-1)?.data['shutdown'], 'requested');
  change({ state: 'on-mains', shutdown: null });
  assert.equal(of('power.state').length, REPORTS.powerPerHour + 5);
  await seconds(3_700);
  assert.equal(of('power.state').at(-1)?.data['state'], 'on-mains', 'the last state is told in the end');
});

test('while nothing can be stored the looks go on, it is logged once, and the last state is told when it can be', async (t) => {
  const rig = reportsRig(t);
  const { reports, seconds, house, of } = rig;
  await reports.start();
  await seconds(12);
  rig.failWith = new Failure('exhausted', 'ledger.tell.sqlite_full', 'the disk is full');
  Object.assign(house.power, { state: 'on-battery' });
  reports.powerChanged(house.power);
  house.cameras[1]!.state = 'unreachable';
  await seconds(3_600);
  assert.equal(rig.lines.filter((line) => line.includes('reports.store-failed')).length, 1);
  assert.ok(rig.handed.length >= 4, 'the twin is still reported');
  rig.failWith = undefined;
  await seconds(35);
  assert.deepEqual(states(of('power.state')), ['on-mains', 'on-battery']);
  assert.equal(of('camera.state').at(-1)?.data['state'], 'unreachable');
  assert.equal(of('heartbeat').length, 1);
});

test('an event that will never be taken is not tried for ever', async (t) => {
  const rig = reportsRig(t);
  await rig.reports.start();
  rig.failWith = new Failure('rejected', 'outbox.too-large', 'too large');
  await rig.seconds(12);
  rig.failWith = undefined;
  await rig.seconds(40);
  assert.deepEqual(rig.told, []);
});

test('what is told goes into a real ledger and waits there', async (t) => {
  const bench = benchLedger(t);
  const reports = createReports({
    ...askingOf(quietHouse()),
    ledger: bench.ledger,
    clipBytesMax: 1e9,
    report: () => undefined,
    clock: bench.clock,
    log: createLog('silent'),
  });
  await reports.start();
  await bench.clock.advance(61_000);
  await reports.stop();
  assert.deepEqual(
    bench
      .reopen()
      .outgoing(100)
      .map(({ event }) => event),
    ['camera.state', 'camera.state', 'link.state', 'power.state', 'storage.state', 'heartbeat'],
  );
  const report = await bench.ledger.check({ repair: false });
  assert.deepEqual(report.problems, []);
});
