import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rig, turn } from './recorder-rig.ts';

type Rig = ReturnType<typeof rig>;
const starts = ({ files }: Rig) => files.flatMap((file) => file.map(({ startMs }) => startMs));

/** Every second of what was recorded, once and in order. */
function assertSeamless(it: Rig, from: number, to: number): void {
  assert.deepEqual(
    starts(it),
    Array.from({ length: (to - from) / 1000 }, (_, n) => from + n * 1000),
  );
}

test('motion that goes on extends its clip to a post-roll behind the last motion', async () => {
  const it = rig({ preRollMs: 5000, postRollMs: 10_000, longestMs: 120_000 });
  await it.until(20_500);
  await it.until(45_000, true);
  await it.until(100_000);
  assert.deepEqual(it.range(0), [14_000, 55_000]);
  assert.equal(it.files.length, 1);
});

test('triggers merge: one that comes while a clip runs moves its end, and asks for no other clip', async () => {
  const it = rig({ preRollMs: 5000, postRollMs: 10_000, longestMs: 60_000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(27_000);
  await it.trigger();
  await it.until(100_000);
  assert.deepEqual(it.range(0), [14_000, 37_000]);
  assert.equal(it.asked.length, 1);
});

test('a clip grows to the longest length and no further, and the next one goes on without a gap', async () => {
  const it = rig({ preRollMs: 5000, postRollMs: 10_000, longestMs: 31_000 });
  await it.until(20_500);
  await it.until(120_000, true);
  await it.until(180_000);
  assert.ok(it.files.length >= 3, `${it.files.length} clips`);
  for (const { clip } of it.written)
    assert.ok(clip.durationMs <= 31_000 + 2000, `${clip.durationMs} ms, a group of pictures more at most`);
  assertSeamless(it, 14_000, 130_000);
});

test('clips follow each other without a gap while files are slow to close, however much of the ring is older', async () => {
  const it = rig({ closeMs: 20_000 });
  await it.until(20_500);
  await it.until(130_000, true);
  await it.until(198_000);
  const recorded = starts(it);
  assert.ok(it.files.length >= 3, `${it.files.length} clips`);
  assertSeamless(it, 14_000, (recorded.at(-1) ?? 0) + 1000);
  assert.ok((recorded.at(-1) ?? 0) >= 150_000);
});

test('without a longest length a clip is as long as pre-roll and post-roll, whatever moves', async () => {
  const it = rig();
  await it.until(20_500);
  await it.until(40_000, true);
  await it.until(100_000);
  assert.deepEqual(it.range(0), [14_000, 50_000]);
  assert.equal(it.files.length, 1);
});

test('after a clip new motion waits for the cooldown and says why; a person does not', async () => {
  const it = rig({ preRollMs: 1000, postRollMs: 5000, cooldownMs: 60_000 });
  await it.until(20_500);
  await it.trigger();
  await it.until(40_000);
  it.reasons.length = 0;
  await it.until(60_000, true);
  assert.deepEqual(new Set(it.reasons), new Set(['cooldown']));
  assert.equal(it.asked.length, 1);
  assert.equal(it.recorder.unrecordedMs(), null, 'it is not missing');
  assert.equal(await it.recorder.record(it.now()), 'clip-2');
  await it.until(80_000);
  await it.until(150_000, true);
  assert.equal(it.asked.length > 2, true, 'the cooldown is over');
});

test('motion that goes on at the end of a clip is no new one: no cooldown parts it', async () => {
  const it = rig({ cooldownMs: 600_000 });
  await it.until(20_500);
  await it.until(100_000, true);
  await it.until(180_000);
  assert.ok(it.files.length >= 3);
  assertSeamless(it, 14_000, (starts(it).at(-1) ?? 0) + 1000);
});

test('what may not be recorded today says so, counts as noted and not as missing, and is recorded when it may be', async () => {
  const it = rig({ limit: 'daily-limit' });
  await it.until(20_000);
  await it.until(40_000, true);
  assert.equal(it.files.length, 0);
  assert.equal(it.recorder.unrecordedMs(), null);
  // The first one had to ask.
  assert.deepEqual(new Set(it.reasons.slice(1)), new Set(['daily-limit']));
  assert.ok(it.asked.length <= 5, `${it.asked.length} times asked in 20 s`);
  it.limit = undefined;
  await it.until(46_000, true);
  await it.until(100_000);
  assert.equal(it.written.length, 1);
  assert.equal(it.reasons.at(-1), undefined);
});

test('a person who asks for a clip beyond the bound gets it', async () => {
  const it = rig({ limit: 'daily-limit' });
  await it.until(20_500);
  await it.trigger();
  assert.equal(await it.recorder.record(it.now()), 'clip-2');
  const asking = rig({ limit: 'daily-limit', slowPlace: true });
  await asking.until(20_500);
  await asking.trigger();
  const asked = asking.recorder.record(asking.now());
  asking.places[0]?.();
  while (asking.places.length < 2) await turn();
  asking.places[1]?.();
  assert.equal(await asked, 'clip-2', 'also while the place of what moves is being asked for');
});
