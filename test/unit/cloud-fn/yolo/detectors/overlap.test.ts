import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Detection } from '../../../../../cloud-fn/yolo/detectors/detector.ts';
import { intersectionOverUnion, oneBoxPerThing } from '../../../../../cloud-fn/yolo/detectors/overlap.ts';

const seen = (label: string, confidence: number, box: Detection['box']): Detection => ({
  label,
  confidence,
  box,
});
const labels = (detections: readonly Detection[]) =>
  detections.map(({ label, confidence }) => `${label} ${confidence}`);

test('overlap is shared area over joint area', () => {
  assert.equal(intersectionOverUnion([0, 0, 1, 1], [0, 0, 1, 1]), 1);
  assert.equal(intersectionOverUnion([0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]), 0);
  assert.ok(Math.abs(intersectionOverUnion([0, 0, 0.2, 0.2], [0.1, 0, 0.3, 0.2]) - 1 / 3) < 1e-9);
});

test('of boxes of one class around one thing the most confident stays', () => {
  const found = oneBoxPerThing([
    seen('person', 0.5, [0.1, 0.1, 0.3, 0.5]),
    seen('person', 0.9, [0.11, 0.1, 0.31, 0.5]),
    seen('person', 0.8, [0.6, 0.1, 0.8, 0.5]),
  ]);
  assert.deepEqual(labels(found), ['person 0.9', 'person 0.8']);
});

test('two guesses for one thing become one, a rider and a horse stay two', () => {
  assert.deepEqual(
    labels(
      oneBoxPerThing([seen('dog', 0.83, [0.1, 0.1, 0.5, 0.5]), seen('cat', 0.39, [0.1, 0.1, 0.5, 0.51])]),
    ),
    ['dog 0.83'],
  );
  assert.deepEqual(
    labels(
      oneBoxPerThing([seen('horse', 0.87, [0.1, 0.2, 0.5, 0.9]), seen('person', 0.8, [0.2, 0.05, 0.4, 0.6])]),
    ),
    ['horse 0.87', 'person 0.8'],
  );
});

test('a person is never dropped for something else', () => {
  const box: Detection['box'] = [0.1, 0.1, 0.3, 0.5];
  assert.deepEqual(labels(oneBoxPerThing([seen('bear', 0.9, box), seen('person', 0.4, box)])), [
    'bear 0.9',
    'person 0.4',
  ]);
});

test('at most a hundred boxes come out of one picture', () => {
  const many = Array.from({ length: 400 }, (_, at) =>
    seen('bird', 0.5, [at / 400, 0, at / 400 + 0.001, 0.001]),
  );
  assert.equal(oneBoxPerThing(many).length, 100);
});
