import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress } from '../../../../../scripts/lib/replay/progress.ts';

test('a short file passes in silence, of a long one it is told every ten seconds how far it is', () => {
  const told: string[] = [];
  let nowMs = 0;
  const progress = createProgress({ lengthS: 3_600, nowMs: () => nowMs, tell: (line) => told.push(line) });
  for (let second = 0; second < 25; second++) {
    nowMs = second * 1_000;
    for (let n = 0; n < 5; n++) progress('looking', second * 60);
  }
  assert.deepEqual(told, ['looking, 600 of 3600 s', 'looking, 1200 of 3600 s']);
});

test('of a file that does not say how long it is only the seconds are told', () => {
  const told: string[] = [];
  let nowMs = 0;
  const progress = createProgress({ lengthS: 0, nowMs: () => nowMs, tell: (line) => told.push(line) });
  nowMs = 10_000;
  progress('drawing', 77.4);
  assert.deepEqual(told, ['drawing, 77 s']);
});
