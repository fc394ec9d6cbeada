import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rig, WALL } from './recorder-rig.ts';

test('a disk that fails ends the clip as abandoned, with the kind, and recording goes on later', async () => {
  const it = rig({ failAfter: 8 });
  await it.until(10_000);
  await it.until(14_000, true);
  assert.deepEqual(it.abandoned, ['clip-1 exhausted: the disk is full']);
  await it.until(40_000, true);
  assert.ok(it.asked.length >= 2);
});

test('what a failing disk did not take is recorded again at once, from the key frame before it', async () => {
  const it = rig({ failAfter: 20, certain: 19, failures: 1 });
  await it.until(20_500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.abandoned, []);
  assert.equal(it.written[0]?.clip.durationMs, 19_000);
  assert.match(it.written[0]?.clip.detail ?? '', /cut off, because the disk failed .*the disk is full/);
  // 14 to 33 s are certain; the next clip holds the rest of the time, not more.
  assert.deepEqual(it.range(1), [32_000, 50_000]);
  assert.equal(it.written[1]?.clip.startedMs, WALL + 32_000);
  assert.equal(it.files.length, 2);
});

test('a disk that takes nothing is asked again after a pause, for the time that is left', async () => {
  const it = rig({ failAfter: 8, failures: 1 });
  await it.until(20_500);
  await it.trigger();
  await it.until(60_000);
  assert.deepEqual(it.abandoned, ['clip-1 exhausted: the disk is full']);
  // As far back as the ring goes.
  assert.ok((it.range(1)[0] ?? 0) <= 20_000, `from ${it.range(1)[0]}`);
  assert.equal(it.range(1)[1], 50_000);
  assert.equal(it.files.length, 2);
});

test('a disk that goes on failing is asked every few seconds, and not beyond the end of the clip', async () => {
  const it = rig({ failAfter: 2 });
  await it.until(20_500);
  await it.trigger();
  await it.until(100_000);
  assert.ok(it.asked.length >= 3 && it.asked.length <= 8, `${it.asked.length} clips`);
  const stuck = rig({ failAfter: 2, certain: 1 });
  await stuck.until(20_500);
  await stuck.trigger();
  await stuck.until(60_000);
  const asked = stuck.asked.length;
  assert.ok(asked <= 20, `${asked} clips in 40 s`);
  await stuck.until(100_000);
  assert.equal(stuck.asked.length, asked);
});
