import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSteadySince } from '../../../../agent/power/steady-since.ts';

function clocks() {
  const at = { nowMs: 1_000_000, monotonicMs: 50 };
  const since = createSteadySince({ nowMs: () => at.nowMs, monotonicMs: () => at.monotonicMs });
  const pass = (wallMs: number, ms = wallMs) => {
    at.nowMs += wallMs;
    at.monotonicMs += ms;
  };
  return { since, pass };
}

test('since when does not tremble with the clocks, and follows the wall clock when it is set', () => {
  const { since, pass } = clocks();
  pass(60_999, 60_000);
  assert.equal(since.wallMs(), 1_000_000);
  pass(1, 0);
  assert.equal(since.wallMs(), 1_001_000);
  pass(-3_600_000, 0);
  assert.equal(since.wallMs(), 1_001_000 - 3_600_000);
});

test('what begins anew has stood since now', () => {
  const { since, pass } = clocks();
  pass(5_000);
  since.restart();
  pass(7_000);
  assert.equal(since.wallMs(), 1_005_000);
});
