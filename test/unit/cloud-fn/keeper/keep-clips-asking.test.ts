import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASKED_MAX } from '../../../../cloud-fn/keeper/next-move.ts';
import {
  failed,
  houseOfOneClip,
  ID,
  kinds,
  later,
  MINUTE,
  person,
  said,
  unasked,
} from './house-of-one-clip.ts';

test('a clip whose orchestration failed before anything was known is asked about again, and then told what could not be done', async () => {
  const house = houseOfOneClip();
  await house.begin();
  for (let round = 0; round <= ASKED_MAX; round += 1) {
    const id = round === 0 ? ID : later(round + 1);
    assert.equal(house.runtime.statusOf(id), 'Running');
    house.runtime.set(id, 'Failed', 'Non-Deterministic workflow detected');
    if (round > 0) {
      await house.round(MINUTE / 2);
      assert.equal(house.runtime.started.length, round + 1, 'what broke it may still be going on');
    }
    await house.round();
  }
  assert.equal(house.runtime.started.length, 1 + ASKED_MAX);
  assert.deepEqual(said(house.verdict()), ['undecided', 'failed', 1 + ASKED_MAX]);
  assert.match(house.verdict()?.reason ?? '', /begun 7 times and broke each time.*Non-Deterministic/);
  assert.deepEqual([kinds(house), house.isOpen()], [['analysis-failed'], false]);
  await house.rounds(5);
  assert.equal(house.told.length, 1);
});

test('a clip whose analysis could not ask, because a queue was away for a moment, is analysed again and nobody is alarmed', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.putVerdict(unasked(1));
  house.runtime.set(ID, 'Completed', { ok: false });
  await house.round(MINUTE / 2);
  assert.deepEqual([house.runtime.started.length, house.isOpen()], [1, true], 'it may still be away');
  await house.round(MINUTE / 2);
  assert.equal(house.runtime.statusOf(later(2)), 'Running');
  await house.answered(person, later(2));
  house.runtime.set(later(2), 'Failed', 'the worker process ended');
  await house.round();
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 2]);
  assert.deepEqual([kinds(house), house.isOpen()], [['person-seen'], false]);
});

test('what cannot be asked for an hour is told once, tried six times, more and more slowly, and then left', async () => {
  const house = houseOfOneClip();
  await house.begin();
  const startedAt: number[] = [];
  for (let minute = 0; minute < 90; minute += 1) {
    const revision = house.runtime.started.length;
    const id = revision === 1 ? ID : later(revision);
    if (house.runtime.statusOf(id) === 'Running') {
      startedAt.push(minute);
      await house.putVerdict(unasked(revision));
      house.runtime.set(id, 'Completed', { ok: false });
    }
    await house.round();
  }
  assert.equal(startedAt.length, 1 + ASKED_MAX);
  const waits = startedAt.map((at, i) => at - (startedAt[i - 1] ?? at)).slice(1);
  assert.deepEqual(
    waits,
    waits.toSorted((one, other) => one - other),
  );
  assert.deepEqual(kinds(house), ['analysis-failed']);
  assert.deepEqual([said(house.verdict()), house.isOpen()], [['undecided', 'failed', 7], false]);
});

test('what the worker itself calls a failure is not analysed again', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.answered(failed);
  await house.putVerdict(unasked(1));
  house.runtime.set(ID, 'Completed', { ok: true });
  await house.rounds(3);
  assert.deepEqual(
    [house.runtime.started.length, kinds(house), house.isOpen()],
    [1, ['analysis-failed'], false],
  );
});

test('a clip that was asked about again is judged by whichever answer comes', async () => {
  const house = houseOfOneClip();
  await house.begin();
  house.runtime.set(ID, 'Failed', 'the worker process ended');
  await house.round();
  house.runtime.set(later(2), 'Failed', 'the worker process ended');
  await house.answered(person);
  await house.round();
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 2]);
});

test('a clip whose analysis an operator ended is not asked about again: a person is told', async () => {
  const house = houseOfOneClip();
  await house.begin();
  house.runtime.set(ID, 'Terminated', 'not this one');
  await house.round();
  assert.deepEqual(said(house.verdict()), ['undecided', 'failed', 1]);
  assert.match(house.verdict()?.reason ?? '', /terminated \(not this one\)/);
  assert.deepEqual([kinds(house), house.runtime.started.length], [['analysis-failed'], 1]);
  await house.answered(person);
  await house.round();
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 2], 'its late answer counts all the same');
});
