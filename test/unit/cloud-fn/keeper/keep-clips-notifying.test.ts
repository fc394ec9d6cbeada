import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepClips } from '../../../../cloud-fn/keeper/keep-clips.ts';
import { verdictOfClip } from '../activities/verdict-sample.ts';
import {
  AWAY,
  failed,
  houseOfOneClip,
  ID,
  kinds,
  later,
  MINUTE,
  nothing,
  person,
  said,
} from './house-of-one-clip.ts';

test('a second answer that says more than the verdict replaces it, one that says less or the same does not', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.answered(nothing);
  await house.putVerdict(verdictOfClip({ verdict: 'nothing', decision: 'marked-safe', confidence: 0 }));
  house.runtime.set(ID, 'Completed', { ok: true });
  await house.round();
  assert.deepEqual([said(house.verdict()), house.isOpen()], [['nothing', 'marked-safe', 1], false]);
  await house.answered(person);
  assert.equal(house.isOpen(), true);
  await house.round();
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 2]);
  await house.answered(failed, later(2));
  await house.round();
  assert.deepEqual([said(house.verdict()), kinds(house)], [['person', 'notified', 2], ['person-seen']]);
});

test('a verdict that asks for a notification which no delivery covers is told, by kind', async () => {
  for (const [verdict, kind] of [
    [verdictOfClip(), 'person-seen'],
    [verdictOfClip({ verdict: 'undecided', decision: 'escalated', confidence: 0 }), 'no-answer'],
    [verdictOfClip({ verdict: 'undecided', decision: 'failed', confidence: 0 }), 'analysis-failed'],
  ] as const) {
    const house = houseOfOneClip();
    await house.begin();
    await house.putVerdict(verdict);
    house.runtime.set(ID, 'Failed', 'the worker process ended');
    await house.rounds(3);
    assert.deepEqual([kinds(house), house.isOpen()], [[kind], false]);
  }
});

test('notified is never said of what was not delivered: it is tried again, more and more slowly, and said when it was', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.answered(person);
  house.runtime.set(ID, 'Failed', 'the worker process ended');
  house.webhook = AWAY;
  await house.round();
  assert.deepEqual(said(house.verdict()), ['person', 'recorded', 1]);
  assert.match(house.verdict()?.reason ?? '', /could not be delivered: the webhook answered 500/);
  let asked = 0;
  house.webhook = () => {
    asked += 1;
    return AWAY();
  };
  await house.rounds(60);
  assert.ok(asked >= 4 && asked <= 6, `${asked} tries within an hour`);
  house.webhook = async () => {};
  await house.rounds(70);
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 2]);
  assert.deepEqual([kinds(house), house.isOpen()], [['person-seen'], false]);
});

test('in the end a notification is given up: the verdict says so, and the clip is closed', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.putVerdict(verdictOfClip());
  house.runtime.set(ID, 'Failed', 'the worker process ended');
  house.webhook = AWAY;
  await house.rounds(40, 61 * MINUTE);
  assert.deepEqual([said(house.verdict()), house.isOpen()], [['person', 'recorded', 2], false]);
  assert.match(house.verdict()?.reason ?? '', /could not be delivered/);
});

test('two keepers at once, and a keeper beside an orchestration, tell once and start once', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.answered(person);
  house.runtime.set(ID, 'Failed', 'the worker process ended');
  house.storage.nowMs += MINUTE;
  await Promise.all([1, 2, 3].map(() => keepClips(house.deps())));
  await house.rounds(3);
  assert.deepEqual([kinds(house), said(house.verdict())], [['person-seen'], ['person', 'notified', 1]]);

  const silent = houseOfOneClip();
  await silent.begin();
  silent.runtime.set(ID, 'Failed', 'the worker process ended');
  silent.storage.nowMs += MINUTE;
  await Promise.all([1, 2, 3].map(() => keepClips(silent.deps())));
  assert.equal(silent.runtime.started.length, 2);
});
