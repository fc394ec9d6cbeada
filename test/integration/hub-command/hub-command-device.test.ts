import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEVICE, hubCommandWorld, oneSentence, report, type Said } from './hub-command-world.ts';
import { eventually } from '../hub/hub-fixture.ts';
const world = hubCommandWorld();
const { run, runJson, openDevice } = world;

test('the file that names hub and key is for its owner only', () => {
  assert.equal(statSync(join(world.dataDir, 'cloud/iot-hub-service.json')).mode & 0o777, 0o600);
});

test('list says who is connected and who has followed', async () => {
  const { out } = await run('list');
  assert.match(out, /^pi {2}disconnected {2}desired version \d+; it has never answered\n$/);
  const device = await openDevice();
  await report(device, { desiredVersion: 1, refused: [{ path: '/x', reason: 'y' }] });
  const { out: later } = await run('list');
  assert.match(later, /^pi {2}connected {5}desired version \d+; it has answered version 1 and refused 1\n$/);
  await report(device, { desiredVersion: null, refused: null });
});

test('a desired property reaches the device merged into the others, and taking it back deletes it', async () => {
  const device = await openDevice();
  const twin = await device.getTwin();
  twin.on('properties.desired', () => {});
  const { version } = (await runJson('desired', DEVICE, 'recording.postRollMs=20000')) as { version: number };
  const { out } = await run('desired', DEVICE, '/cameras/yard/title="Hof"', 'cameras.yard.zones=[]');
  assert.equal(out, `pi: desired version ${version + 1}\n`);
  await eventually('the desired properties', () => twin.properties.desired['$version'] === version + 1);
  assert.deepEqual(twin.properties.desired['cameras'], { yard: { title: 'Hof', zones: [] } });
  assert.deepEqual(twin.properties.desired['recording'], { postRollMs: 20_000 });
  const taken = await run('desired', DEVICE, 'recording=', '--unset', 'cameras.yard.title');
  assert.equal(taken.code, 0, taken.err);
  const { out: shown } = await run('twin', DEVICE);
  const { desired } = JSON.parse(shown) as { desired: object };
  assert.deepEqual(desired, { cameras: { yard: { zones: [] } }, $version: version + 2 });
});

test('--wait prints what the device refused, says when it does not answer, and both are no success', async () => {
  const device = await openDevice();
  const twin = await device.getTwin();
  const refused = [{ path: '/recording/postRollMs', reason: 'must be a whole number' }];
  twin.on('properties.desired', (desired: { $version: number; recording?: { postRollMs: number } }) => {
    const nonsense = desired.recording?.postRollMs === 5;
    twin.properties.reported['update'](
      { desiredVersion: desired.$version, refused: nonsense ? refused : [] },
      () => {},
    );
  });
  const good = await run('desired', DEVICE, 'recording.postRollMs=9000', '--wait', '120');
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /is in force\n$/);
  const bad = await run('desired', DEVICE, 'recording.postRollMs=5', '--wait', '120');
  assert.equal(bad.code, 1);
  assert.match(bad.out, /without what was refused:\n {2}\/recording\/postRollMs: must be a whole number\n$/);
  twin.removeAllListeners('properties.desired');
  const silent = await run('desired', DEVICE, 'recording.postRollMs=', '--wait', '0');
  assert.equal(silent.code, 1);
  assert.match(silent.out, /has not answered within 0 s\n$/);
});

test('a method is called with its argument, and a picture in the answer is saved', async () => {
  const device = await openDevice();
  const jpeg = Buffer.from([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);
  device.onDeviceMethod('snapshot', (request, response) => {
    response.send(200, { asked: request.payload as unknown, jpeg: jpeg.toString('base64') }, () => {});
  });
  device.onDeviceMethod('refuse', (_request, response) => {
    response.send(409, { code: 'not-now', message: 'not now' }, () => {});
  });
  const file = join(world.dataDir, 'picture.jpg');
  const said = await untilListening(() =>
    run('call', DEVICE, 'snapshot', '{"cameraId":"yard"}', '--save', file),
  );
  assert.equal(said.code, 0, said.err);
  assert.deepEqual(readFileSync(file), jpeg);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(said.out, /^snapshot answers 200: /);
  assert.match(said.out, /"cameraId": "yard"/);
  assert.match(said.out, /7 bytes, saved to /);
  const whole = (await runJson('call', DEVICE, 'snapshot')) as { payload: { asked: object; jpeg: string } };
  assert.deepEqual(whole.payload, { asked: {}, jpeg: jpeg.toString('base64') });
  const refused = await run('call', DEVICE, 'refuse');
  assert.equal(refused.code, 1);
  assert.match(refused.out, /refuse answers 409/);
  const without = await run('call', DEVICE, 'refuse', '--save', file);
  assert.equal(without.code, 1);
});

/** The device's subscription may come a moment after `open`. */
async function untilListening(ask: () => Promise<Said>): Promise<Said> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const said = await ask();
    if (!said.err.includes('404103')) return said;
  }
  return ask();
}

test('a device that is not there, does not answer or is unknown is said in one sentence', async () => {
  const absent = await run('call', DEVICE, 'snapshot');
  assert.equal(absent.code, 1);
  oneSentence(absent.err);
  assert.match(absent.err, /pi is not connected.*404103/);
  const device = await openDevice();
  device.onDeviceMethod('sleep', () => {});
  const late = await untilListening(() => run('call', DEVICE, 'sleep', '--timeout', '5'));
  assert.equal(late.code, 1);
  oneSentence(late.err);
  assert.match(late.err, /pi did not answer in time/);
  for (const args of [
    ['twin', 'stranger'],
    ['desired', 'stranger', 'a=1'],
    ['call', 'stranger', 'x'],
    ['watch', 'stranger'],
  ]) {
    const unknown = await run(...args);
    assert.equal(unknown.code, 1);
    oneSentence(unknown.err);
    assert.match(unknown.err, /knows no device "stranger"/);
  }
});

test('what the hub refuses is said with its reason', async () => {
  const big = await run('desired', DEVICE, `a="${'x'.repeat(4097)}"`);
  assert.equal(big.code, 1);
  assert.match(big.err, /4 KB/);
  const key = await run('desired', DEVICE, '/a b=1');
  assert.equal(key.code, 1);
  assert.match(key.err, /space/);
});
