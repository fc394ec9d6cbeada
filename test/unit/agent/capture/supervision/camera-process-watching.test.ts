import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SuppressedRecord } from '../../../../../agent/motion/motion.ts';
import { createCameraRig } from './rig/camera-process-rig.ts';
import { pictureless, timings, settingsOf } from './rig/camera-settings.ts';
import { isAlive, until } from './rig/told-children.ts';

test('a child that never says anything is killed when the camera had time to connect and more', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.clock.advance(timings.connectMs + timings.killMs - 1);
  assert.ok(isAlive(child.pid));
  assert.equal(it.status().state, 'starting');
  await it.clock.advance(1);
  await it.isDown();
  assert.ok(!isAlive(child.pid));
  assert.equal(it.status().detail, 'camera gate: the capture process did not answer and was killed');
});

test('a child that falls silent is stalled first and killed then, by a signal that it cannot refuse', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  assert.equal(it.status().state, 'live');
  await it.clock.advance(timings.stalledMs - 1);
  assert.equal(it.status().state, 'live');
  await it.clock.advance(1);
  assert.equal(it.status().state, 'stalled');
  assert.equal(it.status().detail, 'no new picture comes from the camera');
  await it.clock.advance(timings.killMs - timings.stalledMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(1);
  await it.isDown();
  assert.ok(!isAlive(child.pid));
});

test('what a child says about a silent camera counts as much as its own silence', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  await it.clock.advance(1_000);
  await it.beat(child, {
    silentMs: timings.killMs - 2_000,
    lastFragmentAgeMs: 18_000,
    lastFrameAgeMs: 100,
  });
  assert.equal(it.status().state, 'stalled');
  await it.clock.advance(1_000);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(1_000);
  await it.isDown();
  assert.match(it.status().detail ?? '', /did not answer and was killed/);
});

test('a camera whose pictures do not show the scene is blind, goes on recording, and is live when they do', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child, { recording: true, blind: 'something covers the lens' });
  assert.deepEqual([it.status().state, it.status().detail], ['blind', 'something covers the lens']);
  assert.ok(it.status().recording && isAlive(child.pid));
  await it.beat(child, { blind: 'something covers the lens', lastFrameAgeMs: 60_000 });
  assert.equal(it.status().state, 'stalled');
  await it.beat(child);
  assert.deepEqual([it.status().state, it.status().detail], ['live', null]);
});

test('a camera is live while both its streams bring something new, and comes back when they do again', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child, { lastFrameAgeMs: null });
  assert.equal(it.status().state, 'starting');
  await it.beat(child, { lastFragmentAgeMs: null });
  assert.equal(it.status().state, 'starting');
  await it.beat(child, { lastFragmentAgeMs: timings.stalledMs });
  assert.equal(it.status().state, 'starting');
  await it.beat(child, { lastFragmentAgeMs: timings.stalledMs - 1 });
  assert.equal(it.status().state, 'live');
  assert.equal(it.status().detail, null);
  const since = it.status().sinceMs;
  assert.equal(since, it.clock.nowMs());
  await it.clock.advance(1_000);
  await it.beat(child);
  assert.equal(it.status().sinceMs, since);
  await it.beat(child, { lastFrameAgeMs: timings.stalledMs });
  assert.equal(it.status().state, 'stalled');
  assert.equal(it.status().sinceMs, since + 1_000);
  await it.beat(child);
  assert.equal(it.status().state, 'live');
});

test('a child that failed and does not end is killed, and what it said stays the reason', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  child.send({ type: 'failing', detail: 'camera gate: connection reset', words: 'Could not read' });
  await until('it was heard', () => it.book.events('info').includes('capture.gstreamer'));
  await it.clock.advance(timings.stopMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(timings.heartbeatMs);
  await it.isDown();
  assert.equal(it.status().detail, 'camera gate: connection reset');
});

test('what is wrong with key frames is a condition of the camera until it is not, or the camera is not watched', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const advice = 'a key frame every 60 s is too seldom: set 2 s';
  await it.beat(child, { ...pictureless, keyFrames: advice });
  assert.equal(it.status().detail, advice);
  assert.equal(it.status().state, 'starting');
  const standing = () => it.conditions.list().map(({ code, subject, detail }) => [code, subject, detail]);
  assert.deepEqual(standing(), [['camera-keyframes', 'gate', advice]]);
  await it.beat(child);
  assert.deepEqual(standing(), []);
  await it.beat(child, { lastFragmentAgeMs: 60_000, keyFrames: advice });
  assert.deepEqual([it.status().state, it.status().detail], ['stalled', advice]);
  assert.equal(standing().length, 1);
  await it.beat(child, { keyFrames: advice });
  assert.deepEqual([it.status().state, it.status().detail], ['live', null]);
  const stopping = it.process.stop();
  child.tell({ exit: 0 });
  await stopping;
  assert.deepEqual(standing(), []);
});

test('what was suppressed is kept, and counted over all children', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send({ type: 'suppressed', record: { reason: 'in-place' } as unknown as SuppressedRecord });
  await it.beat(child, { suppressed: { 'in-place': 2, lighting: 1 } });
  assert.deepEqual(it.suppressed.kept, [{ reason: 'in-place' }]);
  assert.deepEqual(it.status().suppressed, { 'in-place': 2, lighting: 1 });
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(it.status().suppressed, { 'in-place': 2, lighting: 1 });
  await it.clock.advance(1_500);
  await it.beat(await it.child(1), { suppressed: { 'in-place': 3 } });
  assert.deepEqual(it.status().suppressed, { 'in-place': 5, lighting: 1 });
  assert.deepEqual(it.suppressed.counted.at(-1), { 'in-place': 5, lighting: 1 });
});

test('the status tells what the child said last, and how old it has become', async (t) => {
  const { title: _title, ...untitled } = settingsOf().config;
  const it = await createCameraRig(t, { settings: { ...settingsOf(), config: untitled } });
  assert.deepEqual(it.status(), {
    cameraId: 'gate',
    title: 'gate',
    state: 'starting',
    sinceMs: 0,
    detail: null,
    pid: null,
    pauseMs: null,
    lastFragmentAgeMs: null,
    lastFrameAgeMs: null,
    recording: false,
    unrecordedMs: null,
    alertness: null,
    decoded: null,
    suppressed: {},
  });
  it.process.start();
  const child = await it.child();
  const startedMs = it.clock.nowMs();
  assert.equal(it.status().sinceMs, startedMs);
  await it.beat(child, { recording: true, unrecordedMs: 700 });
  await it.clock.advance(400);
  const { lastFragmentAgeMs, lastFrameAgeMs, recording, unrecordedMs } = it.status();
  assert.deepEqual([lastFragmentAgeMs, lastFrameAgeMs, recording, unrecordedMs], [500, 450, true, 700]);
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(
    [it.status().lastFragmentAgeMs, it.status().recording, it.status().unrecordedMs],
    [null, false, null],
  );
});

test('an outage is one warning, the next one is another', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const states = () =>
    it.book.lines.flatMap(({ level, fields }) =>
      fields['event'] === 'camera.state' ? [`${level} ${String(fields['state'])}`] : [],
    );
  let child = await it.child();
  child.tell({ exit: 1 });
  await it.isDown();
  await it.clock.advance(1_500);
  child = await it.child(1);
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(states(), ['info starting', 'warn stalled', 'debug starting', 'debug stalled']);
  await it.clock.advance(3_000);
  child = await it.child(2);
  await it.beat(child);
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(states().slice(4), ['debug starting', 'info live', 'warn stalled']);
});

test('what a child writes is in the log, and its lines are cut', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.tell({ say: 'x'.repeat(600) });
  const line = await until('the line', () =>
    it.book.lines.find(({ fields }) => fields['event'] === 'capture.said'),
  );
  assert.deepEqual([line.level, line.fields['cameraId']], ['warn', 'gate']);
  assert.equal(String(line.fields['line']).length, 500);
});

test('a child that let go of its parent is not sent anything, and is killed for its silence', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  child.tell({ disconnect: true });
  await it.clock.advance(timings.killMs);
  await it.isDown();
  assert.ok(!isAlive(child.pid));
});
