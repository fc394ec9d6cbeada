import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastNight } from '../../../../agent/dashboard/night.ts';
import { clipIdOf } from '../../../fakes/ledger-view.ts';
import { NOW_MS, someCamera } from './dashboard-world.ts';
import { judged, servePage } from './served-page.ts';

const { world, get, keep } = (() => {
  const page = servePage();
  return { world: () => page.world, get: page.get, keep: page.keep };
})();

const KYIV = 'Europe/Kyiv';
const nightAt = (now: string, timeZone = KYIV) => {
  const { fromMs, toMs, isNow } = lastNight(Date.parse(now), timeZone);
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString(), isNow];
};

test('by day the night is the one that ended in the morning, by the clock of the house', () => {
  const ended = ['2026-11-19T16:00:00.000Z', '2026-11-20T06:00:00.000Z', false];
  assert.deepEqual(nightAt('2026-11-20T06:00:00Z'), ended);
  assert.deepEqual(nightAt('2026-11-20T15:59:59.999Z'), ended);
});

test('from six in the evening to eight in the morning the night goes on', () => {
  const goesOn = ['2026-11-20T16:00:00.000Z', '2026-11-21T06:00:00.000Z', true];
  assert.deepEqual(nightAt('2026-11-20T16:00:00Z'), goesOn);
  assert.deepEqual(nightAt('2026-11-21T00:30:00Z'), goesOn);
  assert.deepEqual(nightAt('2026-11-21T05:59:59.999Z'), goesOn);
});

test('a night in which the clocks change begins at six and ends at eight all the same', () => {
  assert.deepEqual(nightAt('2026-10-25T12:00:00Z'), [
    '2026-10-24T15:00:00.000Z',
    '2026-10-25T06:00:00.000Z',
    false,
  ]);
  assert.deepEqual(nightAt('2026-03-29T12:00:00Z'), [
    '2026-03-28T16:00:00.000Z',
    '2026-03-29T05:00:00.000Z',
    false,
  ]);
});

test('houses on the other side of the earth have nights of their own, over the end of a month and a year', () => {
  assert.deepEqual(nightAt('2026-12-31T12:00:00Z', 'Pacific/Kiritimati'), [
    '2026-12-31T04:00:00.000Z',
    '2026-12-31T18:00:00.000Z',
    true,
  ]);
  assert.deepEqual(nightAt('2027-01-01T01:00:00Z', 'America/St_Johns'), [
    '2026-12-31T21:30:00.000Z',
    '2027-01-01T11:30:00.000Z',
    true,
  ]);
});

test('the last night has every clip of it and no other, by camera and outcome, and the persons newest first', async () => {
  const nightMs = Date.parse('2026-11-19T22:00:00Z');
  assert.ok(NOW_MS > nightMs);
  world().cameras = [someCamera(), someCamera({ cameraId: 'pond', title: 'Pond' })];
  keep(1, { ...judged(1), triggeredMs: Date.parse('2026-11-19T15:59:59Z') });
  keep(2, { ...judged(2), triggeredMs: Date.parse('2026-11-19T16:00:00Z') });
  keep(3, { ...judged(3), cameraId: 'pond', triggeredMs: nightMs });
  keep(4, { state: 'sealed', cameraId: 'pond', triggeredMs: nightMs });
  keep(5, { state: 'lost', triggeredMs: nightMs });
  keep(6, { ...judged(6), state: 'parked', cameraId: 'gone', triggeredMs: nightMs });
  keep(7, { ...judged(7), triggeredMs: Date.parse('2026-11-20T06:00:00Z') });
  const night = (await get('/api/last-night')).json();
  assert.deepEqual([night.clips, night.isCut, night.isNow], [5, false, false]);
  assert.deepEqual(night.outcomes, { person: 2, unjudged: 1, parked: 1, lost: 1 });
  assert.deepEqual(night.cameras, [
    { cameraId: 'gate', title: 'Gate', clips: 2, outcomes: { person: 1, lost: 1 } },
    { cameraId: 'gone', title: 'gone', clips: 1, outcomes: { parked: 1 } },
    { cameraId: 'pond', title: 'Pond', clips: 2, outcomes: { person: 1, unjudged: 1 } },
  ]);
  assert.deepEqual(
    night.persons.map(({ clipId, cameraTitle, bestFrame }: Record<string, string>) => [
      clipId,
      cameraTitle,
      bestFrame,
    ]),
    [
      [clipIdOf(3), 'Pond', `/clips/${clipIdOf(3)}/best.jpg?revision=2`],
      [clipIdOf(2), 'Gate', `/clips/${clipIdOf(2)}/best.jpg?revision=2`],
    ],
  );
});

test('a night of more clips than are looked at says that there were more', async () => {
  for (let n = 0; n < 2_100; n += 1) keep(n, { triggeredMs: Date.parse('2026-11-19T20:00:00Z') + n });
  const night = (await get('/api/last-night')).json();
  assert.deepEqual([night.clips, night.isCut], [2_000, true]);
});
