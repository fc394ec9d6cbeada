import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNcrontab } from '../../../../../cloud-fn/local/functions-host/ncrontab.ts';

const next = (expression: string, after: string) => {
  const ms = parseNcrontab(expression).nextAfter(Date.parse(after));
  return ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
};

test('schedules of six fields, of five, with steps, ranges, lists and names', () => {
  const saturday = '2026-11-21T12:00:00Z';
  assert.equal(next('* * * * * *', saturday), '2026-11-21T12:00:01Z');
  assert.equal(next('0 */5 * * * *', saturday), '2026-11-21T12:05:00Z');
  assert.equal(next('*/5 * * * *', saturday), '2026-11-21T12:05:00Z');
  assert.equal(next('30 15 9-17/4 * * mon-fri', saturday), '2026-11-23T09:15:30Z');
  assert.equal(next('0 0 0 1 jan,jul *', saturday), '2027-01-01T00:00:00Z');
  assert.equal(next('0 0 3 * * 7', saturday), '2026-11-22T03:00:00Z');
  assert.equal(next('10/20 0 12 * * *', saturday), '2026-11-21T12:00:10Z');
  assert.equal(next('0 0 0 29 2 *', saturday), '2028-02-29T00:00:00Z');
});

test('an occurrence is always later than the moment asked about', () => {
  assert.equal(next('0 0 12 * * *', '2026-11-21T12:00:00.000Z'), '2026-11-22T12:00:00Z');
  assert.equal(next('0 0 12 * * *', '2026-11-21T11:59:59.999Z'), '2026-11-21T12:00:00Z');
});

test('a date that never comes has no occurrence', () => {
  assert.equal(next('0 0 0 31 2 *', '2026-11-21T12:00:00Z'), undefined);
});

test('what cannot be read is refused with a sentence that names it', () => {
  assert.throws(() => parseNcrontab('every minute'), /five or six fields/);
  assert.throws(() => parseNcrontab('0 61 * * * *'), /"61" .* from 0 to 59/);
  assert.throws(() => parseNcrontab('0 */0 * * * *'), /step/);
});
