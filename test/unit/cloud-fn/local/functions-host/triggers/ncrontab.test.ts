import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNcrontab } from '../../../../../../cloud-fn/local/functions-host/triggers/ncrontab.ts';

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

test('every field has its bounds: each bound itself is read, one beyond it is refused', () => {
  for (const [field, least, most] of [
    [0, 0, 59],
    [1, 0, 59],
    [2, 0, 23],
    [3, 1, 31],
    [4, 1, 12],
    [5, 0, 7],
  ] as const) {
    const set = (value: string) => () =>
      parseNcrontab(
        ['0', '0', '0', '1', '1', '*'].map((one, index) => (index === field ? value : one)).join(' '),
      );
    for (const good of [least, most]) assert.doesNotThrow(set(String(good)));
    for (const bad of [`${most + 1}`, '1.5', 'x', ...(least > 0 ? [`${least - 1}`] : [])])
      assert.throws(set(bad), new RegExp(`"${bad}" .* is not a number from ${least} to ${most}`));
  }
});

test('an empty part, an empty name of a month, and steps that are none are refused', () => {
  for (const bad of ['0 1,,2 * * * *', '0 1- * * * *', '0 - * * * *'])
    assert.throws(() => parseNcrontab(bad), /is not a number/, bad);
  for (const bad of ['0 */x * * * *', '0 */1.5 * * * *', '0 */-1 * * * *'])
    assert.throws(() => parseNcrontab(bad), /has no step/, bad);
  assert.throws(() => parseNcrontab('* * * *'), /"\* \* \* \*" is not a schedule/);
  assert.throws(() => parseNcrontab('* * * * * * *'), /five or six/);
});

test('lists are read in any order, ranges to their end, steps from their beginning', () => {
  const noon = '2026-11-21T12:00:00Z';
  const times = (expression: string, count: number) => {
    const found: (string | undefined)[] = [];
    for (let at: string | undefined = noon; found.length < count && at !== undefined; ) {
      at = next(expression, at);
      found.push(at?.slice(5, 19));
    }
    return found;
  };
  assert.deepEqual(times('0 30,10,20 13,12 * * *', 4), [
    '11-21T12:10:00',
    '11-21T12:20:00',
    '11-21T12:30:00',
    '11-21T13:10:00',
  ]);
  assert.deepEqual(times('0 0 12 23-25 * *', 4), [
    '11-23T12:00:00',
    '11-24T12:00:00',
    '11-25T12:00:00',
    '12-23T12:00:00',
  ]);
  assert.deepEqual(times('0 5-20/5 12 21 * *', 5), [
    '11-21T12:05:00',
    '11-21T12:10:00',
    '11-21T12:15:00',
    '11-21T12:20:00',
    '12-21T12:05:00',
  ]);
  assert.deepEqual(times('50/3 59 12 * * *', 4), [
    '11-21T12:59:50',
    '11-21T12:59:53',
    '11-21T12:59:56',
    '11-21T12:59:59',
  ]);
  assert.deepEqual(times('0 0 0 * dec sun', 2), ['12-06T00:00:00', '12-13T00:00:00']);
  assert.deepEqual(times('0 0 0 31 * *', 3), ['12-31T00:00:00', '01-31T00:00:00', '03-31T00:00:00']);
  assert.deepEqual(times('0 0 0 * * SAT', 1), ['11-28T00:00:00']);
});

test('a 29 February on a given week day is found, however many years away', () => {
  assert.equal(next('0 0 0 29 2 tue', '2028-03-01T00:00:00Z'), '2056-02-29T00:00:00Z');
  assert.equal(next('0 0 0 29 2 tue', '2028-02-01T00:00:00Z'), '2028-02-29T00:00:00Z');
});
