import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSightings } from '../../../../../cloud-fn/yolo/analysis/sightings.ts';
import type { Detection } from '../../../../../cloud-fn/yolo/detectors/detector.ts';

const seen = (label: string, confidence: number, left = 0.1): Detection => ({
  label,
  confidence,
  box: [left, 0.1, left + 0.1, 0.5],
});

test('one weak sighting is not reported, a second one makes it count', () => {
  const sightings = createSightings();
  sightings.add(0, []);
  sightings.add(500, [seen('person', 0.5)]);
  assert.deepEqual(sightings.summary(), []);
  assert.equal(sightings.bestFrame(), undefined);
  sightings.add(3000, [seen('person', 0.4), seen('person', 0.35, 0.6)]);
  const [person, ...others] = sightings.summary();
  assert.deepEqual(others, []);
  const { tracks, ...label } = person ?? assert.fail('nobody');
  assert.deepEqual(label, {
    label: 'person',
    count_max: 1,
    confidence_max: 0.5,
    first_ms: 500,
    last_ms: 3000,
    frames: 2,
    boxes: [[0.1, 0.1, 0.2, 0.5]],
  });
  assert.deepEqual(tracks, [
    { first_ms: 500, last_ms: 3000, frames: 2, confidence_max: 0.5, travelled: 0, stood: true },
  ]);
});

test('two people who walk side by side are two, and how far each got is told', () => {
  const sightings = createSightings();
  for (let at = 0; at < 8; at++)
    sightings.add(
      at * 500,
      [seen('person', 0.7, 0.1 + at * 0.1), seen('person', 0.6, 0.15 + at * 0.1)].toReversed(),
    );
  const [people] = sightings.summary();
  assert.equal(people?.count_max, 2);
  assert.deepEqual(
    people.tracks?.map(({ frames, stood }) => [frames, stood]),
    [
      [8, false],
      [8, false],
    ],
  );
  for (const { travelled } of people.tracks ?? []) assert.ok(travelled > 1.3, `${travelled}`);
});

test('a cow that now and then looks like a person is a cow; a person beside it stays a person', () => {
  const sightings = createSightings();
  for (let at = 0; at < 10; at++)
    sightings.add(at * 500, [
      at % 4 === 3 ? seen('person', 0.55) : seen('cow', 0.6),
      ...(at > 4 ? [seen('person', 0.5, 0.6 - at * 0.02)] : []),
    ]);
  assert.deepEqual(
    sightings.summary().map(({ label, frames }) => [label, frames]),
    [
      ['person', 5],
      ['cow', 10],
    ],
  );
  const cows = createSightings();
  for (let at = 0; at < 10; at++)
    cows.add(at * 500, [seen('cow', 0.6), ...(at < 3 ? [seen('person', 0.55, 0.11)] : [])]);
  assert.deepEqual(
    cows.summary().map(({ label }) => label),
    ['cow'],
  );
});

test('a rider on a motorcycle is somebody', () => {
  const sightings = createSightings();
  for (let at = 0; at < 4; at++)
    sightings.add(at * 500, [
      seen('person', 0.5, 0.1 + at * 0.05),
      seen('motorcycle', 0.8, 0.11 + at * 0.05),
    ]);
  assert.deepEqual(
    sightings.summary().map(({ label }) => label),
    ['person', 'motorcycle'],
  );
});

test('one sighting is enough when the detector is sure, or when there is only one frame', () => {
  const sure = createSightings();
  sure.add(0, []);
  sure.add(500, [seen('person', 0.61)]);
  assert.equal(sure.summary().length, 1);
  const single = createSightings();
  single.add(0, [seen('dog', 0.4)]);
  assert.equal(single.summary().length, 1);
});

test('the best frame is the one that shows the most important label best', () => {
  const sightings = createSightings();
  sightings.add(0, [seen('car', 0.95), seen('person', 0.5)]);
  sightings.add(500, [seen('car', 0.9), seen('person', 0.8), seen('bird', 0.36)]);
  sightings.add(1000, [seen('car', 0.99)]);
  const best = sightings.bestFrame();
  assert.equal(best?.atMs, 500);
  // The bird was seen once and weakly: it is not drawn either.
  assert.deepEqual(
    best.detections.map(({ label }) => label),
    ['person', 'car'],
  );
  assert.deepEqual(
    sightings.summary().map(({ label, boxes }) => [label, boxes.length]),
    [
      ['person', 1],
      ['car', 1],
    ],
  );
});

test('a label that the best frame does not show has no boxes', () => {
  const sightings = createSightings();
  sightings.add(0, [seen('person', 0.9)]);
  sightings.add(500, [seen('car', 0.9, 0.5)]);
  assert.deepEqual(sightings.summary().find(({ label }) => label === 'car')?.boxes, []);
});

test('weak sightings hold a track together and do not count themselves', () => {
  const sightings = createSightings();
  sightings.add(0, [seen('person', 0.5)]);
  for (const [at, left] of [
    [3_000, 0.2],
    [6_000, 0.3],
  ] as const)
    sightings.add(at, [seen('person', 0.2, left)]);
  assert.deepEqual(sightings.summary(), []);
  sightings.add(9_000, [seen('person', 0.5, 0.4)]);
  const [person] = sightings.summary();
  assert.deepEqual([person?.frames, person?.tracks?.length, person?.tracks?.[0]?.frames], [2, 1, 2]);
});

test('thousands of weak signs do not keep a person from being seen', () => {
  const sightings = createSightings();
  for (let at = 0; at < 1_000; at++) sightings.add(at * 5_000, [seen('person', 0.2)]);
  for (let at = 0; at < 3; at++) sightings.add(6_000_000 + at * 500, [seen('person', 0.7)]);
  assert.equal(sightings.summary()[0]?.frames, 3);
});
