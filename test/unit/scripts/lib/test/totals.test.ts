import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLines, isTotal, readTotals } from '../../../../../scripts/lib/test/totals.ts';

const LINES =
  '+ a\n- a\n= tests 3\n= suites 1\n= pass 2\n= fail 1\n= cancelled 0\n= skipped 0\n= todo 0\n= duration_ms 4.2\n';

test('a suite closes with the totals of all its files, in the words of node', () => {
  const one = readTotals(LINES, false);
  assert.deepEqual(one, { tests: 3, suites: 1, pass: 2, fail: 1, cancelled: 0, skipped: 0, todo: 0 });
  assert.equal(
    closingLines([one, readTotals(LINES, false)], 1.5),
    'ℹ tests 6\nℹ suites 2\nℹ pass 4\nℹ fail 2\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 1500\n',
  );
});

test('a file that did not come to its totals is one test', () => {
  assert.deepEqual(readTotals('+ a\n', false), {
    ...{ tests: 1, suites: 0, pass: 0, fail: 1 },
    ...{ cancelled: 0, skipped: 0, todo: 0 },
  });
  assert.equal(readTotals('', true).pass, 1);
});

test('what a test says itself is no total', () => {
  assert.equal(isTotal({ nesting: 0, message: 'pass 5' }), true);
  assert.equal(isTotal({ nesting: 1, message: 'pass 5' }), false);
  assert.equal(isTotal({ nesting: 0, message: 'pass 5 of 7 clips' }), false);
});
