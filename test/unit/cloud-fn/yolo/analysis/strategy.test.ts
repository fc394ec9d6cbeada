import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  planSampling,
  selectExpression,
  STRATEGIES,
} from '../../../../../cloud-fn/yolo/analysis/strategy.ts';

test('a clip of usual length is sampled at the asked rate', () => {
  const plan = planSampling('fixed-rate', { durationMs: 35_000 });
  assert.equal(plan.slotSeconds, 0.5);
  assert.equal(plan.keyFramesOnly, false);
  assert.equal(planSampling('fixed-rate', { durationMs: 35_000 }, 5).slotSeconds, 0.2);
});

test('a very long clip costs no more than a long one and is sampled to its end', () => {
  const hour = planSampling('fixed-rate', { durationMs: 3_600_000 });
  assert.equal(3600 / hour.slotSeconds, 300);
  assert.ok(hour.maxAnalysed >= 300);
});

test('every-frame leaves out no frame of a clip of usual length', () => {
  assert.ok(planSampling('every-frame', { durationMs: 35_000 }).slotSeconds < 1 / 60);
});

test('a clip that hides its length is sampled all the same, with an end', () => {
  for (const strategy of STRATEGIES) {
    const plan = planSampling(strategy, { durationMs: undefined });
    assert.ok(Number.isFinite(plan.slotSeconds) && plan.slotSeconds > 0 && plan.maxAnalysed > 0);
  }
  assert.equal(planSampling('key-frames', { durationMs: undefined }).keyFramesOnly, true);
});

test('the expression takes the first frame of each slot', () => {
  const text = selectExpression(planSampling('fixed-rate', { durationMs: 10_000 }));
  assert.equal(text, "'isnan(prev_selected_t)+not(eq(floor(t/0.500000),floor(prev_selected_t/0.500000)))'");
});
