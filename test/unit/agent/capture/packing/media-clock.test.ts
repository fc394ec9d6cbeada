import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMediaClock } from '../../../../../agent/capture/packing/media-clock.ts';

test('before the first fragment no moment has a media time', () => {
  assert.equal(createMediaClock().mediaAt(5), undefined);
});

test('a fragment comes one frame after its end, and that frame is taken off', () => {
  const clock = createMediaClock();
  clock.observe({ arrivedMs: 11_066, endMs: 1000, lastSampleMs: 66 });
  assert.equal(clock.mediaAt(10_500), 500);
});

test('delays of single fragments do not move the time', () => {
  const clock = createMediaClock();
  for (const [index, delay] of [400, 0, 900, 30].entries())
    clock.observe({ arrivedMs: 11_000 + index * 1000 + delay, endMs: 1000 + index * 1000, lastSampleMs: 0 });
  assert.equal(clock.mediaAt(14_000), 4000);
});

test('a camera that runs slow is followed', () => {
  const clock = createMediaClock(4);
  for (let second = 1; second <= 100; second++)
    clock.observe({ arrivedMs: second * 1001, endMs: second * 1000, lastSampleMs: 0 });
  assert.ok(Math.abs((clock.mediaAt(100_100) ?? 0) - 100_000) <= 4);
});
