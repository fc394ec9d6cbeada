import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRACE_MS } from '../../../../cloud-fn/keeper/next-move.ts';
import { verdictOfClip } from '../activities/verdict-sample.ts';
import {
  houseOfOneClip,
  ID,
  kinds,
  later,
  nothing,
  notificationOfPerson,
  person,
  said,
  waitMs,
} from './house-of-one-clip.ts';

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
