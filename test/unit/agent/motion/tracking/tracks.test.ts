import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Patch } from '../../../../../agent/motion/tracking/regions.ts';
import { createIdlePlaces } from '../../../../../agent/motion/scene/idle.ts';
import { thresholdsOf } from '../../../../../agent/motion/sensitivity.ts';
import type { TrackState } from '../../../../../agent/motion/tracking/track-judge.ts';
import { createTracker } from '../../../../../agent/motion/tracking/tracks.ts';

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
  idle: 0,
  idlePixels: 0,
  stirred: 100,
});

let atMs = 0;

function follow(
  frames: readonly (readonly Patch[])[],
  tracker = createTracker(thresholdsOf(5), createIdlePlaces(40, 23)),
): TrackState[][] {
  return frames.map((patches) => {
    tracker.beginFrame((atMs += 200), 200, 1);
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
  const tracker = createTracker(thresholdsOf(5), createIdlePlaces(40, 23));
  follow([...walk(6, 6), [], [], []], tracker);
  assert.deepEqual(follow([[patch(92)]], tracker), [['confirmed']]);
});

test('where many things come and go, more is asked of each', () => {
  const tracker = createTracker(thresholdsOf(5), createIdlePlaces(40, 23));
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
  const tracker = createTracker(thresholdsOf(5), createIdlePlaces(40, 23));
  const states = (from: number, light: boolean) =>
    walk(6, 6, from).map(([one]) => {
      tracker.beginFrame((atMs += 200), 200, 1);
      const state = tracker.follow(one as Patch, light);
      tracker.endFrame();
      return state;
    });
  assert.deepEqual([...new Set(states(50, true))], ['lighting']);
  assert.equal(states(86, false).at(-1), 'confirmed');
  assert.deepEqual(states(122, true).slice(1), Array(5).fill('lighting'));
});

test('what comes in at the border counts even when all of it is darker than the scene: it has an outline', () => {
  const enters = (pixels: number, x: number) => [
    { ...patch(x), cells: pixels / 40, pixels, brighter: 0, atBorder: true },
  ];
  assert.equal(
    follow([enters(100, 8), enters(600, 20)])
      .flat()
      .at(-1),
    'confirmed',
  );
});

test('what was seen inside does not come in at the border: it has merged with something there', () => {
  const inside = [{ ...patch(60), pixels: 60, cells: 2 }];
  const merged = (x: number) => [{ ...patch(x), pixels: 900, cells: 30, atBorder: true }];
  const cameIn = (x: number, pixels: number) => [{ ...patch(x), pixels, cells: pixels / 30, atBorder: true }];
  assert.notEqual(
    follow([inside, inside, merged(76)])
      .flat()
      .at(-1),
    'confirmed',
  );
  assert.equal(
    follow([cameIn(60, 60), cameIn(60, 60), cameIn(76, 900)])
      .flat()
      .at(-1),
    'confirmed',
  );
});

test('what loses a part of itself has not moved, although its middle has', () => {
  const shrinks = [200, 200, 120, 120, 75].map((pixels, n) => [{ ...patch(100 + n * 4), pixels }]);
  const whole = [200, 200, 190, 190, 185].map((pixels, n) => [{ ...patch(100 + n * 4), pixels }]);
  assert.equal(follow(whole).flat().at(-1), 'confirmed');
  assert.equal(follow(shrinks).flat().at(-1), 'in-place');
});

const growing = (sizes: readonly number[], sway = 0) =>
  sizes.map((pixels) => [{ ...patch(100), cells: pixels / 30, pixels, sway }]);

test('what emerges, and is more with every look, counts although its middle stays; what comes and goes does not', () => {
  assert.equal(
    follow(growing([60, 80, 100, 125]))
      .flat()
      .at(-1),
    'confirmed',
  );
  assert.ok(
    follow(growing([60, 100, 70, 125, 80, 140, 90, 130]))
      .flat()
      .every((state) => state !== 'confirmed'),
  );
  assert.ok(
    follow(growing([60, 80, 100, 125, 150], 0.3))
      .flat()
      .every((state) => state !== 'confirmed'),
    'in a place that always moves growing is no news',
  );
});

test('in rare pictures the calmer the picture was, the smaller may be what counts at once', () => {
  const firstLook = (pixels: number, quietPictures: number, regions = 1) => {
    const tracker = createTracker(thresholdsOf(5), createIdlePlaces(40, 23));
    for (let n = 0; n <= quietPictures; n++) {
      tracker.beginFrame((atMs += 2_000), 2_000, regions);
      if (n < quietPictures) tracker.endFrame();
    }
    return tracker.follow({ ...patch(100), pixels }, false);
  };
  assert.equal(firstLook(170, 0), 'too-short', 'nobody knows yet what moves here');
  assert.equal(firstLook(170, 1), 'confirmed');
  assert.equal(firstLook(60, 1), 'too-short');
  assert.equal(firstLook(60, 6), 'confirmed');
  assert.equal(firstLook(60, 6, 20), 'too-short', 'twenty at once are a gust');
  assert.equal(firstLook(35, 60), 'too-short', 'less than the least size never counts');
});
