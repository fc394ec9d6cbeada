import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  ask,
  createWorld,
  NOW_MS,
  someMachine,
  somePower,
  withMachine,
  type World,
} from './dashboard-world.ts';

let world: World;

beforeEach(async () => {
  world = createWorld(withMachine(() => world));
  await world.dashboard.start();
});
afterEach(() => world.dashboard.stop());

const status = (headers: Record<string, string> = {}) =>
  ask(world.dashboard.url(), '/api/status', { headers });

test('the status tells power, machine, disk, versions and refused settings', async () => {
  world.power = somePower({ state: 'on-battery', minutesLeft: 96.4, amps: -1.26 });
  world.desired = { version: 7, refused: [{ path: '/recording/preRollMs', reason: 'It is too long.' }] };
  const { power, health, disk, versions, desiredVersion, refused, refusedCount, house } = (
    await status()
  ).json();
  assert.deepEqual(power, {
    state: 'on-battery',
    isWatched: true,
    sinceUtc: new Date(NOW_MS - 600_000).toISOString(),
    detail: null,
    volts: 12.3,
    amps: -1.3,
    percent: 93,
    minutesLeft: 95,
    shutdown: null,
  });
  assert.equal(health.cpuCelsius, 54.4);
  assert.deepEqual(health.attention, { hot: false, underVoltage: false });
  assert.deepEqual(disk, {
    diskFreeBytes: 41_000_000_000,
    diskTotalBytes: 58_000_000_000,
    full: false,
    nearlyFull: false,
  });
  assert.equal(versions.hardware, 'Raspberry Pi 5 Model B Rev 1.0');
  assert.deepEqual([desiredVersion, refusedCount], [7, 1]);
  assert.deepEqual(refused, [{ path: '/recording/preRollMs', reason: 'It is too long.' }]);
  assert.equal(house.state, 'on-battery');
});

test('an appliance that knows nothing of them says null, and is well', async () => {
  const plain = createWorld();
  await plain.dashboard.start();
  const answer = (await ask(plain.dashboard.url(), '/api/status')).json();
  await plain.dashboard.stop();
  const { power, health, disk, versions, desiredVersion, refused } = answer;
  assert.deepEqual(
    { power, health, disk, versions, desiredVersion, refused },
    { power: null, health: null, disk: null, versions: null, desiredVersion: null, refused: [] },
  );
  assert.equal(answer.house.state, 'well');
});

test('a disk that cannot be read is unknown, not full', async () => {
  world.machine = someMachine();
  world.machine.disk = { diskFreeBytes: 0, diskTotalBytes: 0 };
  const answer = (await status()).json();
  assert.deepEqual([answer.disk, answer.house.state], [null, 'well']);
});

test('readings that waver by less than a person reads change nothing', async () => {
  world.power = somePower({ state: 'on-battery', volts: 11.41, minutesLeft: 94 });
  const first = await status();
  const tag = { 'if-none-match': first.headers['etag'] ?? '' };
  world.power = somePower({ state: 'on-battery', volts: 11.44, minutesLeft: 96, percent: 92.8 });
  assert.equal((await status(tag)).status, 304);
  world.power = somePower({ state: 'on-battery', volts: 11.2, minutesLeft: 94 });
  assert.equal((await status(tag)).status, 200);
});

test('secrets in a reason are struck, and a flood of refused settings is cut with its number told', async () => {
  const refused = Array.from({ length: 300 }, (_, i) => ({
    path: `/cameras/c${i}/main`,
    reason: 'rtsp://owner:hunter2@10.0.0.9/main is no address.',
  }));
  world.desired = { version: 3, refused };
  const answer = (await status()).json();
  assert.deepEqual([answer.refused.length, answer.refusedCount], [50, 300]);
  assert.doesNotMatch(JSON.stringify(answer), /hunter2/);
});
