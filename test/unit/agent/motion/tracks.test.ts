import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Patch } from '../../../../agent/motion/regions.ts';
import { thresholdsOf } from '../../../../agent/motion/sensitivity.ts';
import { createTracker, type TrackState } from '../../../../agent/motion/tracks.ts';

const patch = (x: number, y = 90): Patch => ({
  left: x - 8,
  right: x + 8,
  top: y - 16,
  bottom: y + 16,
  pixels: 200,
  x,
  y,
  cells: 6,
  brighter: 100,
  atBorder: false,
  solid: 6,
  sway: 0,
  stirred: 100,
});

let atMs = 0;

function follow(
  frames: readonly (readonly Patch[])[],
  tracker = createTracker(thresholdsOf(5)),
): TrackState[][] {
  return frames.map((patches) => {
    tracker.beginFrame((atMs += 200), 200);
    const states = patches.map((one) => tracker.follow(one));
    tracker.endFrame();
    return states;
  });
}
const walk = (frames: number, step: number, from = 50) =>
  Array.from({ length: frames }, (_, n) => [patch(from + n * step)]);

test('a thing is confirmed when it was seen often enough and went far enough', () => {
  assert.deepEqual(follow(walk(5, 6)).flat(), [
    'too-short',
    'too-short',
    'confirmed',
    'confirmed',
    'confirmed',
  ]);
  assert.equal(follow(walk(5, 2)).flat().at(-1), 'in-place');
});

test('to and fro is no way', () => {
  const frames = Array.from({ length: 30 }, (_, n) => [patch(100 + (n % 2) * 14)]);
  assert.ok(
    follow(frames)
      .flat()
      .every((state) => state !== 'confirmed'),
  );
});

test('two things that walk side by side are two things', () => {
  const frames = Array.from({ length: 8 }, (_, n) => [patch(50 + n * 6, 30), patch(250 - n * 6, 150)]);
  assert.deepEqual(follow(frames).at(-1), ['confirmed', 'confirmed']);
});

test('a confirmed thing may hide for a moment', () => {
  const tracker = createTracker(thresholdsOf(5));
  follow([...walk(6, 6), [], [], []], tracker);
  assert.deepEqual(follow([[patch(92)]], tracker), [['confirmed']]);
});

test('where many things come and go, more is asked of each', () => {
  const tracker = createTracker(thresholdsOf(5));
  const flashes = Array.from({ length: 60 }, (_, n) =>
    Array.from({ length: 8 }, (_, k) => patch(((n * 97 + k * 41) % 37) * 100, (k * 53 + n * 29) % 1700)),
  );
  follow(flashes, tracker);
  const busy = follow(walk(6, 6, 5000), tracker)
    .flat()
    .indexOf('confirmed');
  const calm = follow(walk(6, 6)).flat().indexOf('confirmed');
  assert.ok(busy === -1 || busy > calm, `${busy} against ${calm}`);
});

test('more patches than can be followed are not followed, and nothing breaks', () => {
  const crowd = Array.from({ length: 200 }, (_, n) => patch((n * 100) % 10_000, Math.floor(n / 100) * 900));
  assert.equal(follow([crowd, crowd])[1]?.length, 200);
});
