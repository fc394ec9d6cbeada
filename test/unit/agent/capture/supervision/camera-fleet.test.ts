import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCameraFleet } from '../../../../../agent/capture/supervision/camera-fleet.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';
import { settingsOf, timings } from './rig/camera-settings.ts';
import { createToldProbe } from './rig/told-probe.ts';

const camera = (id: string, main = `rtsp://${id}/main`) => ({
  config: settingsOf({ id, main, sub: `rtsp://${id}/sub` }).config,
  credential: undefined,
});

/** Cameras that cannot be watched: nothing is forked, and who is asked tells who is watched. */
function fleetOf() {
  const clock = createFakeClock();
  const { log } = createLogBook();
  const probe = createToldProbe(clock);
  probe.unwatchable = { detail: 'unwatchable', absence: 'unreachable', waitMs: 60_000 };
  const fleet = createCameraFleet({
    store: {
      open: () => undefined,
      written: () => undefined,
      thumbnail: () => undefined,
      abandoned: async () => undefined,
    },
    clock,
    log,
    timings,
    backoff: { minMs: 1_000, maxMs: 1_000 },
    environment: {},
    probe,
  });
  const { recording } = settingsOf();
  const apply = (...cameras: ReturnType<typeof camera>[]) => fleet.apply({ cameras, recording });
  const ids = () => fleet.status().map(({ cameraId }) => cameraId);
  const asked = () => probe.asked.map(({ streams }) => streams[0]?.address);
  return { clock, asked, holds: probe.holdsAt, fleet, apply, ids };
}

test('cameras are watched from the start on, each once, and listed in the order of the settings', async () => {
  const it = fleetOf();
  it.apply(camera('gate'), camera('yard'));
  await it.clock.advance(0);
  assert.deepEqual(it.asked(), []);
  it.fleet.start();
  await it.clock.advance(0);
  assert.deepEqual(it.asked(), ['rtsp://gate/main', 'rtsp://yard/main']);
  it.apply(camera('lane'), camera('yard'), camera('gate'));
  await it.clock.advance(0);
  assert.deepEqual(it.ids(), ['lane', 'yard', 'gate']);
  assert.deepEqual(it.asked().slice(2), ['rtsp://lane/main']);
  await it.fleet.stop();
});

test('a camera that is gone is not asked again, nor found; one that changed is asked as it is now', async () => {
  const it = fleetOf();
  it.apply(camera('gate'), camera('yard'));
  it.fleet.start();
  await it.clock.advance(0);
  it.apply(camera('yard', 'rtsp://yard/other'));
  await it.clock.advance(120_000);
  assert.deepEqual(it.ids(), ['yard']);
  assert.equal(it.asked().filter((one) => one === 'rtsp://gate/main').length, 1);
  assert.deepEqual(new Set(it.asked().slice(2)), new Set(['rtsp://yard/other']));
  assert.throws(() => it.fleet.camera('gate'), { code: 'capture.unknown-camera', kind: 'rejected' });
  assert.equal(it.fleet.camera('yard').status().cameraId, 'yard');
  await it.fleet.stop();
});

test('a camera that leaves and comes back waits until the process it had is gone', async () => {
  const it = fleetOf();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.holds.set('rtsp://gate/main', promise);
  it.apply(camera('gate'));
  it.fleet.start();
  await it.clock.advance(0);
  it.apply();
  it.apply(camera('gate', 'rtsp://gate/other'));
  await it.clock.advance(60_000);
  assert.deepEqual(it.asked(), ['rtsp://gate/main']);
  resolve();
  await it.clock.advance(0);
  assert.deepEqual(it.asked(), ['rtsp://gate/main', 'rtsp://gate/other']);
  await it.fleet.stop();
});

test('after a stop, which waits for those that leave, none is added', async () => {
  const it = fleetOf();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.holds.set('rtsp://gate/main', promise);
  it.apply(camera('gate'), camera('yard'));
  it.fleet.start();
  await it.clock.advance(0);
  it.apply(camera('yard'));
  let stopped = false;
  const stopping = it.fleet.stop().then(() => (stopped = true));
  await it.clock.advance(1_000);
  assert.equal(stopped, false);
  resolve();
  await stopping;
  it.apply(camera('lane'));
  await it.clock.advance(1_000);
  assert.ok(!it.asked().includes('rtsp://lane/main'));
});

test('a pause is that of all cameras and of those that come later, until a resume', async () => {
  const it = fleetOf();
  it.apply(camera('gate'));
  it.fleet.start();
  await it.clock.advance(0);
  await it.fleet.pause();
  it.apply(camera('gate'), camera('yard'));
  for (const id of ['gate', 'yard'])
    await assert.rejects(it.fleet.camera(id).record(), { code: 'capture.paused' });
  it.fleet.resume();
  it.apply(camera('gate'), camera('yard'), camera('lane'));
  for (const id of ['gate', 'yard', 'lane'])
    await assert.rejects(it.fleet.camera(id).record(), { code: 'capture.no-picture' });
  await it.fleet.stop();
});

test('a pause waits for a camera that is leaving: it closes its clip, too', async () => {
  const it = fleetOf();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.holds.set('rtsp://gate/main', promise);
  it.apply(camera('gate'));
  it.fleet.start();
  await it.clock.advance(0);
  it.apply();
  let paused = false;
  const pausing = it.fleet.pause().then(() => (paused = true));
  await it.clock.advance(1_000);
  assert.equal(paused, false);
  resolve();
  await pausing;
  await it.fleet.stop();
});
