import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTrouble } from '../../../../../../cloud-fn/local/functions-host/engine/trouble.ts';

test('what fails again waits twice as long, at most a minute, and from the beginning once it has worked', () => {
  const trouble = createTrouble<string>(() => 0);
  const waits = Array.from({ length: 9 }, () => trouble.failed('a'));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  trouble.over('a');
  assert.equal(trouble.failed('a'), 500);
});

test('the trouble of one keeps no other from its turn', () => {
  let nowMs = 1_000;
  const trouble = createTrouble<string>(() => nowMs);
  trouble.failed('a');
  assert.deepEqual([trouble.waiting(), trouble.dueMs()], [['a'], [1_500]]);
  nowMs = 1_500;
  assert.deepEqual(trouble.waiting(), []);
});
