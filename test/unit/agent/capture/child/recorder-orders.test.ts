import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { rig, turn } from './recorder-rig.ts';

test('a stream that ends closes the clip early and reports it', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(25_000);
  await it.recorder.finish();
  assert.equal(it.written[0]?.clip.durationMs, 11_000);
  await it.trigger();
  assert.equal(it.asked.length, 1);
});

const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('a clip that a person asks for has its pre-roll and its full length, and says why it is there', async () => {
  const it = rig();
  await it.until(20_500);
  assert.equal(await it.recorder.record(it.now()), 'clip-1');
  await it.until(60_000);
  assert.deepEqual(it.range(0), [14_000, 50_000]);
  assert.deepEqual(it.causes, ['request']);
});

test('a clip that runs counts as the one that was asked for', async () => {
  const it = rig({ slowPlace: true });
  await it.until(20_500);
  await it.trigger();
  const asked = it.recorder.record(it.now());
  it.places[0]?.();
  assert.equal(await asked, 'clip-1');
  assert.equal(it.asked.length, 1);
  await it.until(22_000);
  assert.equal(await it.recorder.record(it.now()), 'clip-1');
});

test('what is asked for while a clip is being closed is the next clip', async () => {
  const it = rig({ preRollMs: 1000, postRollMs: 5000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(22_500);
  const closed = it.recorder.pause();
  it.recorder.resume();
  const asked = it.recorder.record(it.now());
  await closed;
  assert.equal(await asked, 'clip-2');
});

test('asked before the first picture, without room, or while paused: each is told by its code', async () => {
  const early = rig();
  await assert.rejects(early.recorder.record(0), refusedWith('capture.no-picture'));
  const full = rig({ refuse: true });
  await full.until(20_500);
  await assert.rejects(full.recorder.record(full.now()), refusedWith('capture.no-room'));
  const paused = rig({ paused: true });
  await paused.until(20_500);
  await assert.rejects(paused.recorder.record(paused.now()), refusedWith('capture.paused'));
  await paused.trigger();
  assert.deepEqual(paused.asked, []);
});

test('a pause closes the clip with all that came, and nothing begins until it is over', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(25_300);
  await it.recorder.pause();
  assert.deepEqual(it.range(0), [14_000, 25_000]);
  assert.equal(it.written.length, 1);
  await it.until(40_000, true);
  assert.equal(it.files.length, 1);
  it.recorder.resume();
  await it.until(41_000, true);
  await it.until(90_000);
  const [from, to] = it.range(1) as [number, number];
  assert.ok(from <= 35_000 && from >= 33_000 && to - from >= 34_000, `${from} to ${to}`);
});

test('a pause waits for a clip whose place is not yet known, and that clip is kept', async () => {
  const it = rig({ slowPlace: true });
  await it.until(20_500);
  await it.trigger();
  let paused = false;
  const pausing = it.recorder.pause().then(() => (paused = true));
  await turn();
  assert.equal(paused, false);
  it.places[0]?.();
  await pausing;
  assert.deepEqual(
    it.written.map(({ clipId }) => clipId),
    ['clip-1'],
  );
});

test('a resume while the clip is still being closed does not reopen it', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(25_300);
  const pausing = it.recorder.pause();
  it.recorder.resume();
  await it.until(27_000, true);
  await pausing;
  assert.deepEqual(it.range(0), [14_000, 25_000]);
  assert.equal(it.files.length, 2);
  assert.equal(it.range(1)[0], 24_000);
});

test('a stream that ended cannot be resumed', async () => {
  const it = rig();
  await it.until(20_500);
  await it.recorder.finish();
  it.recorder.resume();
  await it.trigger();
  assert.deepEqual(it.asked, []);
});

test('other lengths are those of the next clip; the one that runs keeps its own', async () => {
  const it = rig({ preRollMs: 2000, postRollMs: 10_000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(22_000);
  it.recorder.reconfigure({ preRollMs: 1000, postRollMs: 4000 });
  await it.until(50_500);
  await it.trigger();
  await it.until(80_000);
  assert.deepEqual(it.range(0), [18_000, 30_000]);
  assert.deepEqual(it.range(1), [48_000, 54_000]);
});

test('motion before the first picture is seen as unrecorded, a recorded or a paused camera has none', async () => {
  const blind = rig();
  blind.recorder.motion(0, { kind: 'picture' });
  assert.equal(blind.recorder.unrecordedMs(), 0);
  const recording = rig();
  await recording.until(20_000);
  await recording.until(60_000, true);
  assert.equal(recording.recorder.unrecordedMs(), null);
  const paused = rig({ paused: true });
  await paused.until(20_000);
  await paused.until(30_000, true);
  assert.equal(paused.recorder.unrecordedMs(), null);
});
