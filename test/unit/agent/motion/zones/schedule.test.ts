import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schedule } from '@dachawatch/contracts';
import { createSchedule } from '../../../../../agent/motion/zones/schedule.ts';

const KYIV = 'Europe/Kyiv';
/** Whether the schedule is active at each of these moments. */
const at = (schedule: Schedule | undefined, zone: string, ...moments: string[]) => {
  const active = createSchedule(schedule, zone);
  return moments.map((moment) => active(Date.parse(moment)));
};

test('without a schedule it is always active', () => {
  assert.deepEqual(at(undefined, 'UTC', '2026-11-22T03:00:00Z'), [true]);
});

test('a window begins at its first minute and ends before its last, in local time', () => {
  const day: Schedule = [{ from: '08:00', to: '17:30' }];
  const winter = [
    '2026-11-23T05:59:59Z',
    '2026-11-23T06:00:00Z',
    '2026-11-23T15:29:59Z',
    '2026-11-23T15:30:00Z',
  ];
  assert.deepEqual(at(day, KYIV, ...winter), [false, true, true, false]);
  assert.deepEqual(at(day, 'UTC', '2026-11-23T07:59:00Z', '2026-11-23T08:00:00Z'), [false, true]);
});

test('a window over midnight belongs to the day on which it begins', () => {
  const night: Schedule = [{ days: ['fri'], from: '22:00', to: '06:00' }];
  // 2026-11-20 is a Friday.
  const moments = [
    '2026-11-20T01:00Z',
    '2026-11-20T22:00Z',
    '2026-11-21T05:59Z',
    '2026-11-21T06:00Z',
    '2026-11-21T23:00Z',
  ];
  assert.deepEqual(at(night, 'UTC', ...moments), [false, true, true, false, false]);
});

test('from Sunday night to Monday morning the week turns over', () => {
  const night: Schedule = [{ days: ['sun'], from: '23:00', to: '01:00' }];
  assert.deepEqual(at(night, 'UTC', '2026-11-22T23:30Z', '2026-11-23T00:30Z', '2026-11-23T23:30Z'), [
    true,
    true,
    false,
  ]);
});

test('both ends alike are 24 hours, and 24:00 is the end of the day', () => {
  const whole: Schedule = [{ days: ['sat'], from: '12:00', to: '12:00' }];
  assert.deepEqual(
    at(whole, 'UTC', '2026-11-21T11:59Z', '2026-11-21T12:00Z', '2026-11-22T11:59Z', '2026-11-22T12:00Z'),
    [false, true, true, false],
  );
  const evening: Schedule = [{ days: ['sat'], from: '20:00', to: '24:00' }];
  assert.deepEqual(at(evening, 'UTC', '2026-11-21T23:59Z', '2026-11-22T00:00Z'), [true, false]);
});

test('when the clocks go forward, the hour that is left out is nobody’s', () => {
  // Kyiv, 29 March 2026: 03:00 becomes 04:00 at 01:00 UTC.
  const gone: Schedule = [{ from: '03:00', to: '04:00' }];
  assert.deepEqual(at(gone, KYIV, '2026-03-29T00:59Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z'), [
    false,
    false,
    false,
  ]);
  const over: Schedule = [{ from: '02:30', to: '04:30' }];
  assert.deepEqual(
    at(over, KYIV, '2026-03-29T00:29Z', '2026-03-29T00:30Z', '2026-03-29T01:29Z', '2026-03-29T01:30Z'),
    [false, true, true, false],
  );
});

test('when the clocks go back, the hour that comes twice is active twice', () => {
  // Kyiv, 25 October 2026: 04:00 becomes 03:00 at 01:00 UTC.
  const twice: Schedule = [{ from: '03:15', to: '03:45' }];
  const moments = ['2026-10-25T00:30Z', '2026-10-25T00:50Z', '2026-10-25T01:30Z', '2026-10-25T01:50Z'];
  assert.deepEqual(at(twice, KYIV, ...moments), [true, false, true, false]);
  const night: Schedule = [{ days: ['sat'], from: '22:00', to: '06:00' }];
  assert.deepEqual(at(night, KYIV, '2026-10-24T19:00Z', '2026-10-25T03:59Z', '2026-10-25T04:00Z'), [
    true,
    true,
    false,
  ]);
});

test('several windows add up; a zone half an hour off and one behind the date line are right, too', () => {
  const two: Schedule = [
    { days: ['mon'], from: '08:00', to: '09:00' },
    { days: ['mon'], from: '20:00', to: '21:00' },
  ];
  assert.deepEqual(at(two, 'Asia/Kolkata', '2026-11-23T02:29Z', '2026-11-23T02:30Z', '2026-11-23T14:45Z'), [
    false,
    true,
    true,
  ]);
  assert.deepEqual(at(two, 'Pacific/Kiritimati', '2026-11-22T18:30Z'), [true]);
});

test('a clock that has not been set makes every schedule active', () => {
  assert.deepEqual(at([{ from: '08:00', to: '08:01' }], 'UTC', '1970-01-01T00:05Z'), [true]);
});
