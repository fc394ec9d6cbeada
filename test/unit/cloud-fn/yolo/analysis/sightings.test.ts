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
  assert.deepEqual(sightings.summary(), [
    {
      label: 'person',
      count_max: 2,
      confidence_max: 0.5,
      first_ms: 500,
      last_ms: 3000,
      frames: 2,
      boxes: [[0.1, 0.1, 0.2, 0.5]],
    },
  ]);
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
  sightings.add(500, [seen('car', 0.9)]);
  assert.deepEqual(sightings.summary().find(({ label }) => label === 'car')?.boxes, []);
});
