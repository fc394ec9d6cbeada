import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createCameraRig, nextAsk, withinJitter } from './rig/camera-process-rig.ts';
import { clip, timings, trigger, settingsOf } from './rig/camera-settings.ts';
import { isAlive, until } from './rig/told-children.ts';

test('a pause gives no place, closes what runs, and the next child is forked paused', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const pausing = it.process.pause();
  const { requestId } = await child.received('pause');
  child.send(trigger(7, 1));
  assert.deepEqual(await child.received('no-place'), { type: 'no-place', requestId: 7 });
  child.send({ type: 'paused', requestId });
  await pausing;
  child.tell({ exit: 1 });
  await it.isDown();
  await it.clock.advance(1_500);
  const next = await it.child(1);
  assert.equal((await next.received('configure')).paused, true);
  it.process.resume();
  await next.received('resume');
  next.send(trigger(8, 2));
  assert.equal((await next.received('place')).clipId, 'c2');
});

test('a child that does not pause is killed with the reason, and its clip is given up', async (t) => {
  const it = await createCameraRig(t, { timings: { ...timings, stopMs: 50 } });
  it.process.start();
  const child = await it.child();
  child.send(trigger(1, 4));
  await child.received('place');
  await it.process.pause();
  await it.isDown();
  assert.deepEqual(it.kept, [
    'abandoned c4: camera gate: the capture process did not close its clip in time and was killed',
  ]);
});

test('a camera that is forked paused gives no place from its first moment', async (t) => {
  const it = await createCameraRig(t, { paused: true });
  it.process.start();
  const child = await it.child();
  assert.equal((await child.received('configure')).paused, true);
  await assert.rejects(it.process.record(), { code: 'capture.paused' });
  child.send(trigger(1, 1));
  await child.received('no-place');
});

test('pictures and clips are asked of the child that runs; without one the reason is told', async (t) => {
  const it = await createCameraRig(t);
  await assert.rejects(it.process.snapshot(), /camera gate is starting/);
  it.process.start();
  const child = await it.child();
  const recording = it.process.record();
  const { requestId } = await child.received('record');
  child.send({ type: 'recording', requestId, clipId: 'c1' });
  assert.equal(await recording, 'c1');
  const picture = it.process.snapshot();
  const { requestId: pictureId } = await child.received('snapshot');
  child.send({
    type: 'picture',
    requestId: pictureId,
    jpeg: Buffer.from('ffd80000ffd9', 'hex').toString('base64'),
    widthPx: 2,
    heightPx: 2,
    takenMs: 9,
  });
  assert.equal((await picture).takenMs, 9);
  const second = it.process.snapshot();
  const { requestId: refusedId } = await child.received('snapshot', 1);
  child.send({
    type: 'refused',
    requestId: refusedId,
    kind: 'transient',
    code: 'capture.no-picture',
    message: 'nothing yet',
  });
  await assert.rejects(second, /nothing yet/);
  const late = it.process.snapshot();
  await child.received('snapshot', 2);
  child.tell({ exit: 5 });
  await assert.rejects(late, (error) => error instanceof Failure && /code 5/.test(error.message));
  await it.isDown();
  await assert.rejects(it.process.snapshot(), /ended \(code 5\)/);
});

test('other settings are told to the child that runs; the next one knows them from the start', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const settings = { ...settingsOf({ sensitivity: 9 }), recording: { preRollMs: 1_000, postRollMs: 2_000 } };
  it.process.apply(settings);
  const told = await child.received('reconfigure');
  assert.deepEqual(told, { type: 'reconfigure', camera: settings.config, recording: settings.recording });
  it.process.apply({ ...settings, config: { ...settings.config, title: 'Front gate' } });
  assert.equal(it.status().title, 'Front gate');
  child.tell({ exit: 1 });
  await it.isDown();
  it.process.apply({ ...settings, config: { ...settings.config, sensitivity: 3 } });
  await it.clock.advance(1_500);
  const next = await (await it.child(1)).received('configure');
  assert.deepEqual([next.camera.sensitivity, next.recording], [3, settings.recording]);
  assert.deepEqual(
    child.got.map(({ type }) => type),
    ['configure', 'reconfigure'],
  );
});

test('another address ends the child in good order, and the next one is forked without a wait', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  it.process.apply(settingsOf({ main: 'rtsp://camera/other' }));
  await child.received('stop');
  assert.equal(it.forks(), 1);
  child.tell({ exit: 0 });
  const next = await it.child(1);
  assert.equal((await next.received('configure')).camera.main, 'rtsp://camera/other');
  assert.equal(it.probe.asked[1]?.streams[0]?.address, 'rtsp://camera/other');
  assert.deepEqual([it.status().state, it.status().detail], ['starting', null]);
});

test('a child that is to make place and does not is killed', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  it.process.apply(settingsOf({ main: 'rtsp://camera/other' }));
  await child.received('stop');
  await it.clock.advance(timings.stopMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(timings.heartbeatMs);
  await it.child(1);
  assert.ok(!isAlive(child.pid));
});

test('another address ends the wait, and the waits begin anew with it', async (t) => {
  const it = await createCameraRig(t);
  it.probe.unwatchable = { detail: 'no route', absence: 'unreachable' };
  it.process.start();
  await it.clock.advance(0);
  for (const middle of [1_000, 2_000, 4_000]) await nextAsk(it, middle * 1.5);
  await it.clock.advance(0);
  const { length } = it.probe.asked;
  it.process.apply(settingsOf({ main: 'rtsp://camera/other' }));
  await it.clock.advance(0);
  assert.equal(it.probe.asked.length, length + 1);
  const ms = await nextAsk(it, 1_500);
  assert.ok(withinJitter(ms, 1_000), `${ms} ms`);
});

test('another address during the probe: the old one is given up, the new one is asked', async (t) => {
  const it = await createCameraRig(t);
  it.probe.holds = new Promise(() => undefined);
  it.process.start();
  await it.clock.advance(0);
  it.probe.holds = undefined;
  it.process.apply(settingsOf({ main: 'rtsp://camera/other' }));
  const child = await it.child();
  assert.equal((await child.received('configure')).camera.main, 'rtsp://camera/other');
  assert.equal(it.forks(), 1);
  assert.deepEqual(
    it.probe.asked.map(({ streams }) => streams[0]?.address),
    ['rtsp://camera/main', 'rtsp://camera/other'],
  );
});

test('a stop ends the wait between two children, and nothing is asked any more', async (t) => {
  const it = await createCameraRig(t);
  it.probe.unwatchable = { detail: 'locked out', absence: 'refused', waitMs: 3_600_000 };
  it.process.start();
  await it.clock.advance(0);
  await it.process.stop();
  assert.deepEqual([it.status().state, it.status().detail], ['stalled', 'stopped']);
  await it.clock.advance(7_200_000);
  assert.equal(it.probe.asked.length, 1);
  assert.equal(it.clock.sleepers(), 0);
});

test('a stop during the probe forks nobody', async (t) => {
  const it = await createCameraRig(t);
  it.probe.holds = new Promise(() => undefined);
  it.process.start();
  await it.clock.advance(0);
  await it.process.stop();
  assert.equal(it.forks(), 0);
  assert.equal(it.status().detail, 'stopped');
});

test('a stop lets the child close its clip, and waits for it', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send(trigger(1, 5));
  await child.received('place');
  let stopped = false;
  const stopping = it.process.stop().then(() => (stopped = true));
  await child.received('stop');
  child.send({ type: 'written', clipId: 'c5', clip });
  await until('the clip', () => it.kept.length === 1);
  assert.equal(stopped, false);
  child.tell({ exit: 0 });
  await stopping;
  assert.deepEqual(it.kept, ['written c5']);
  assert.equal(it.forks(), 1);
  assert.equal(it.status().detail, 'stopped');
});

test('a child that does not end when it is told to is killed', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const stopping = it.process.stop();
  await child.received('stop');
  await it.clock.advance(timings.stopMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(timings.heartbeatMs);
  await stopping;
  assert.ok(!isAlive(child.pid));
});
