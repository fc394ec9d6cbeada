import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { ASKED_MAX, GRACE_MS } from '../../../../cloud-fn/keeper/next-move.ts';
import { keepClips } from '../../../../cloud-fn/keeper/keep-clips.ts';
import { PortFailure } from '../../../../cloud-fn/ports/port-failure.ts';
import { verdictOfClip } from '../activities/verdict-sample.ts';
import {
  clip,
  failed,
  houseOfOneClip,
  ID,
  later,
  MINUTE,
  nothing,
  person,
  waitMs,
} from './house-of-one-clip.ts';

const kinds = (house: ReturnType<typeof houseOfOneClip>) => house.told.map(({ kind }) => kind);
const said = (verdict: Verdict | null) => [verdict?.verdict, verdict?.decision, verdict?.revision];
const AWAY = () =>
  Promise.reject(new PortFailure('transient', 'webhook.http-500', 'the webhook answered 500'));

test('a clip whose orchestration lives is left alone, and one that ended well is closed', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.rounds(6);
  assert.deepEqual([house.verdict(), house.runtime.started.length, house.isOpen()], [null, 1, true]);
  await house.outbox.notify({ ...notificationOfPerson(), id: `${ID}.1.person-seen` });
  await house.putVerdict(verdictOfClip());
  house.runtime.set(ID, 'Completed', { ok: true });
  await house.round();
  assert.deepEqual([house.isOpen(), house.verdict()?.revision, kinds(house)], [false, 1, ['person-seen']]);
});

for (const ended of ['Failed', 'Terminated', 'Canceled', 'missing'] as const)
  test(`an answer that was stored and never judged is judged, told and sent to the house: ${ended}`, async () => {
    const house = houseOfOneClip();
    await house.begin();
    await house.answered(person);
    if (ended === 'missing') house.runtime.forget(ID);
    else house.runtime.set(ID, ended, 'the worker process ended');
    await house.round();
    assert.deepEqual(said(house.verdict()), ['person', 'notified', 1]);
    assert.deepEqual(kinds(house), ['person-seen']);
    assert.deepEqual(house.sent(), [house.verdict()]);
    assert.equal(house.isOpen(), false);
    assert.equal(house.runtime.started.length, 1, 'nothing is asked again');
  });

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

const unasked = (revision: number) =>
  verdictOfClip({ verdict: 'undecided', decision: 'failed', confidence: 0, revision });

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

test('a clip that was announced, and whose starter died before or in the start, is started', async () => {
  const house = houseOfOneClip();
  await house.announce();
  await house.round();
  assert.deepEqual(house.runtime.started, [{ instanceId: ID, revision: 1, asked: 0 }]);
  assert.equal(house.runtime.statusOf(ID), 'Running');
});

test('an orchestration beyond any deadline is ended and its clip goes on; the deadline holds with messages that stay hidden', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.round(waitMs + GRACE_MS);
  assert.equal(house.runtime.statusOf(ID), 'Running');
  await house.round();
  assert.equal(house.runtime.statusOf(ID), 'Terminated');
  assert.equal(house.runtime.statusOf(later(2)), 'Running', 'ended by the keeper, so it is asked again');
});

test('an answer that lies for minutes beside an orchestration that lives is judged all the same, and the same once', async () => {
  for (const answer of [person, nothing]) {
    const house = houseOfOneClip();
    await house.begin();
    await house.answered(answer);
    await house.rounds(2);
    assert.equal(house.verdict(), null, 'it has time to judge by itself');
    await house.rounds(2);
    const first = house.verdict();
    assert.equal(first?.verdict, answer === person ? 'person' : 'nothing');
    await house.rounds(3);
    house.runtime.set(ID, 'Completed', { ok: true, document: { ...first, reason: 'its own words' } });
    await house.rounds(2);
    assert.deepEqual([house.verdict(), house.isOpen()], [first, false]);
    assert.equal(house.told.length, answer === person ? 1 : 0);
  }
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

test('a keeper that is killed after any of its steps is followed by one that ends the clip the same way', async () => {
  const walk = async (stopAt: number) => {
    const house = houseOfOneClip();
    await house.begin();
    await house.answered(person);
    house.runtime.set(ID, 'Failed', 'the worker process ended');
    let calls = 0;
    house.storage.fail = () => {
      calls += 1;
      if (calls > stopAt) throw new Error('killed');
    };
    await house.round().catch(() => undefined);
    house.storage.fail = () => {};
    await house.rounds(5);
    assert.deepEqual(
      [said(house.verdict()).slice(0, 2), house.isOpen()],
      [['person', 'notified'], false],
      `${stopAt}`,
    );
    return { calls, told: house.told };
  };
  const whole = (await walk(Number.POSITIVE_INFINITY)).calls;
  assert.ok(whole > 10);
  for (let stopAt = 0; stopAt <= whole; stopAt += 1) {
    const { told } = await walk(stopAt);
    assert.ok(told.length >= 1, `nobody was told after a kill at ${stopAt}`);
    assert.equal(
      new Set(told.map(({ id }) => id)).size,
      1,
      'twice only by a kill between the two, with the same id',
    );
  }
});

test('an answer that is stored while its clip is being closed keeps it open', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.putVerdict(verdictOfClip({ verdict: 'nothing', decision: 'marked-safe', confidence: 0 }));
  house.runtime.set(ID, 'Completed', { ok: true });
  let late = false;
  house.storage.fail = (operation) => {
    if (operation === 'readTags' && !late) {
      late = true;
      // The receiver is another process: it acts between two steps of the keeper.
      void house.answered(person);
    }
  };
  await house.round();
  await house.rounds(2);
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 2]);
});

test('what fails about one clip keeps no other from its turn', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.answered(person);
  house.runtime.set(ID, 'Failed', 'the worker process ended');
  const other = { container: 'dacha-instances', name: 'open/clip-0.json' };
  await house.storage.port.writeBlob(other, { bytes: 'no note', contentType: '' });
  await house.storage.port.writeBlob(
    { ...other, name: 'open/clip-1.json' },
    { bytes: '{}', contentType: '' },
  );
  house.storage.fail = (_, { name }) => {
    if (name.includes('clip-1')) throw new Error('this one is damaged');
  };
  const { failed: broken } = await house.round();
  assert.deepEqual([broken, said(house.verdict())], [1, ['person', 'notified', 1]]);
});

test('a verdict that an orchestration made and could not store is stored', async () => {
  const house = houseOfOneClip();
  await house.begin();
  const { best_frame: _, ...document } = verdictOfClip({
    ...{ verdict: 'nothing', decision: 'marked-safe', confidence: 0 },
  });
  house.runtime.set(ID, 'Completed', { ok: false, document, problems: [{ code: 'verdict-not-stored' }] });
  await house.round();
  assert.deepEqual([house.verdict(), house.isOpen()], [document, false]);
});

test('a house that cannot be told, and a picture that cannot be kept, hold no verdict up', async () => {
  const house = houseOfOneClip();
  await house.begin();
  await house.answered(person);
  house.runtime.set(ID, 'Failed', 'the worker process ended');
  house.storage.fail = (operation, { container }) => {
    if (container === 'detected-dacha-video') throw new Error(`${operation}: forbidden`);
  };
  await house.round();
  assert.deepEqual(said(house.verdict()), ['person', 'notified', 1]);
});

function notificationOfPerson() {
  return {
    id: '',
    kind: 'person-seen' as const,
    at: '2026-11-30T00:00:00Z',
    text: { en: 'a', uk: 'б' },
    clip: { clipId: clip.clip_id, blobName: clip.blobName, deviceId: null, cameraId: null },
    verdict: 'person',
    confidence: 1,
    bestFrame: null,
  };
}
