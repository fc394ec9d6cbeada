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
    const states = patches.map((one) => tracker.follow(one, false));
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

test('many things at once in a calm picture are a gust: none of them counts by its first steps', () => {
  const gust = Array.from({ length: 4 }, (_, n) =>
    Array.from({ length: 12 }, (_, k) => patch(200 * k + n * 6)),
  );
  assert.ok(
    follow(gust)
      .flat()
      .every((state) => state !== 'confirmed'),
  );
  assert.equal(follow(walk(4, 6)).flat().at(-1), 'confirmed');
});

test('what comes in at the border and grows is confirmed by its second sighting', () => {
  const enters = (pixels: number, x: number) => [{ ...patch(x), pixels, atBorder: true }];
  assert.equal(
    follow([enters(100, 8), enters(220, 20)])
      .flat()
      .at(-1),
    'confirmed',
  );
  assert.notEqual(
    follow([enters(100, 8), enters(100, 20)])
      .flat()
      .at(-1),
    'confirmed',
  );
});

test('what is only another light is never confirmed, and what turns out to be one is let go', () => {
  const tracker = createTracker(thresholdsOf(5));
  const states = (from: number, light: boolean) =>
    walk(6, 6, from).map(([one]) => {
      tracker.beginFrame((atMs += 200), 200);
      const state = tracker.follow(one as Patch, light);
      tracker.endFrame();
      return state;
    });
  assert.deepEqual([...new Set(states(50, true))], ['lighting']);
  assert.equal(states(86, false).at(-1), 'confirmed');
  assert.deepEqual(states(122, true).slice(1), Array(5).fill('lighting'));
});
