import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from '../../../../../agent/dashboard/files/byte-range.ts';

test('a range names its first and last byte, and never reaches behind the end', () => {
  assert.deepEqual(parseRange('bytes=0-99', 1000), { first: 0, last: 99 });
  assert.deepEqual(parseRange('bytes=0-0', 1000), { first: 0, last: 0 });
  assert.deepEqual(parseRange('bytes=990-5000', 1000), { first: 990, last: 999 });
});

test('a range without an end goes to the end; one without a beginning counts from the end', () => {
  assert.deepEqual(parseRange('bytes=200-', 1000), { first: 200, last: 999 });
  assert.deepEqual(parseRange('bytes=-100', 1000), { first: 900, last: 999 });
  assert.deepEqual(parseRange('bytes=-5000', 1000), { first: 0, last: 999 });
});

test('a range behind the end cannot be satisfied', () => {
  assert.equal(parseRange('bytes=1000-', 1000), 'unsatisfiable');
  assert.equal(parseRange('bytes=1000-1001', 1000), 'unsatisfiable');
  assert.equal(parseRange('bytes=-0', 1000), 'unsatisfiable');
  assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable');
});

test('what is no single byte range means the whole file', () => {
  const others = [
    undefined,
    '',
    'bytes',
    'bytes=-',
    'bytes=5-2',
    'bytes=0-1,5-9',
    'lines=0-9',
    'bytes=0x1-2',
  ];
  for (const header of [...others, `bytes=${'9'.repeat(40)}-`])
    assert.equal(parseRange(header, 1000), 'all', String(header));
});
