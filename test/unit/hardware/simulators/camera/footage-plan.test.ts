import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encoderArguments, planFootage } from '../../../../../hardware/simulators/camera/footage-plan.ts';

const facts = { stream: 0, width: 768, height: 576, fps: { num: 10, den: 1 }, durationS: 79.5 };

test('a video smaller and slower than a camera keeps its size and rate', () => {
  const { main, fps, gopFrames } = planFootage(facts);
  assert.deepEqual([main.width, main.height, fps, gopFrames], [768, 576, { num: 10, den: 1 }, 20]);
});

test('a larger one fits into 1080p and keeps its shape', () => {
  const sizes = [
    [3840, 2160, 1920, 1080],
    [1080, 1920, 606, 1080],
    [4000, 1000, 1920, 480],
  ] as const;
  for (const [width, height, mainWidth, mainHeight] of sizes) {
    const { main } = planFootage({ ...facts, width, height });
    assert.deepEqual([main.width, main.height], [mainWidth, mainHeight]);
  }
});

test('sizes are even and never too small for a decoder', () => {
  const { main } = planFootage({ ...facts, width: 317, height: 5 });
  assert.deepEqual([main.width, main.height], [316, 16]);
});

test('the rate is at most 15, and a time lapse still has a group of pictures', () => {
  assert.deepEqual(planFootage({ ...facts, fps: { num: 60000, den: 1001 } }).fps, { num: 15, den: 1 });
  const { fps, gopFrames } = planFootage({ ...facts, fps: { num: 1, den: 60 } });
  assert.deepEqual([fps, gopFrames], [{ num: 1, den: 1 }, 2]);
});

test('1080p gets 3 Mbit/s, smaller pictures less, the sub-stream half a megabit', () => {
  const { main, sub } = planFootage({ ...facts, width: 1920, height: 1080 });
  assert.deepEqual([main.bitrateKbps, sub.bitrateKbps], [3000, 500]);
  const small = planFootage(facts).main.bitrateKbps;
  assert.ok(small > 500 && small < 3000, `${small}`);
});

test('a file name that looks like an option or a protocol is a file name', () => {
  const args = encoderArguments('-i:x.mp4', planFootage(facts), { main: 'm', sub: 's' });
  assert.ok(args.includes('file:-i:x.mp4'));
});
