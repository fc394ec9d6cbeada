import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeFragments, seconds } from '../made-fragments.ts';
import { rig, turn, WALL } from './recorder-rig.ts';

test('a clip begins with the key frame before the pre-roll and ends with the post-roll', async () => {
  const it = rig();
  await it.until(20_500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.range(0), [14_000, 50_000]);
  assert.deepEqual(it.written, [
    {
      clipId: 'clip-1',
      clip: { durationMs: 36_000, bytes: 1, sha256: 'x', preRollMs: 6500, startedMs: WALL + 14_000 },
    },
  ]);
  assert.deepEqual(it.asked, [WALL + 20_500]);
});

test('motion that goes on begins the next clip exactly where the last one ended: no fragment is lost or doubled', async () => {
  const it = rig();
  await it.until(20_500);
  await it.until(130_000, true);
  const ranges = it.files.map((_, index) => it.range(index)) as [number, number][];
  assert.ok(ranges.length >= 3);
  for (let index = 1; index < ranges.length; index++) {
    const before = ranges[index - 1] as [number, number];
    assert.equal((ranges[index] as [number, number])[0], before[1]);
  }
  for (const { clip } of it.written)
    assert.ok(Math.abs(clip.durationMs - 35_000) <= 2000, `${clip.durationMs}`);
});

test('motion shortly after a clip begins no earlier than that clip ended, save for its group of pictures', async () => {
  const it = rig({ preRollMs: 5000, postRollMs: 5000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(29_500);
  const [, end] = it.range(0);
  await it.trigger();
  await it.until(60_000);
  assert.equal(end, 25_000);
  assert.deepEqual(it.range(1), [24_000, 35_000]);
});

test('a camera that has just started gives what it has, and the clip is as long as any', async () => {
  const it = rig();
  await it.until(2500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.range(0), [0, 35_000]);
  assert.equal(it.written[0]?.clip.preRollMs, 2500);
});

test('without a picture nothing is recorded, and nobody is asked', async () => {
  const it = rig();
  await it.trigger();
  assert.deepEqual(it.asked, []);
});

test('when nothing may be recorded, motion does not ask with every frame', async () => {
  const it = rig({ refuse: true });
  await it.until(5000);
  await it.until(14_900, true);
  assert.equal(it.asked.length, 2);
  assert.equal(it.recorder.recording(), false);
});

test('what moves and is not recorded is counted from its first moment until a clip holds it', async () => {
  const it = rig({ refuse: true });
  await it.until(20_000);
  assert.equal(it.recorder.unrecordedMs(), null, 'nothing moves');
  await it.until(32_000, true);
  assert.ok((it.recorder.unrecordedMs() ?? 0) >= 11_000, `${it.recorder.unrecordedMs()} ms`);
  await it.until(45_000);
  assert.equal(it.recorder.unrecordedMs(), null, 'it is over');
});

test('what moves before the first key frame is recorded from that one on', async () => {
  const it = rig({ fragments: madeFragments(seconds(200, 20).slice(1)).fragments });
  await it.until(5000);
  await it.trigger();
  await it.until(19_000);
  assert.deepEqual(it.asked, []);
  await it.until(70_000);
  assert.deepEqual(it.asked, [WALL + 5000]);
  assert.deepEqual(it.range(0), [20_000, 55_000]);
  assert.equal(it.written[0]?.clip.preRollMs, 0);
  assert.equal(it.written[0]?.clip.startedMs, WALL + 20_000);
});

test('what moved longer ago than the post-roll begins nothing when a key frame comes', async () => {
  const it = rig({ postRollMs: 10_000, fragments: madeFragments(seconds(200, 20).slice(1)).fragments });
  await it.until(5000);
  await it.trigger();
  await it.until(40_000);
  assert.deepEqual(it.asked, []);
});

test('a clip is over when its time is over, also when no picture comes any more', async () => {
  const it = rig({ fragments: madeFragments(seconds(30)).fragments });
  await it.until(20_500);
  await it.trigger();
  await it.until(54_000);
  it.recorder.tick();
  await turn();
  assert.equal(it.recorder.recording(), true);
  await it.until(56_000);
  it.recorder.tick();
  await it.until(56_500);
  assert.equal(it.recorder.recording(), false);
  assert.deepEqual(it.range(0), [14_000, 30_000]);
});
