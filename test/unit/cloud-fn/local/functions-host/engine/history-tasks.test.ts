import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT, iso } from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { NOW_MS, RUNNING, activity, timer, child, useHistory } from './history-rig.ts';

const it = useHistory();
const { start, row, episode, types, lastOf } = it;

test('an activity ends once; its result carries its number, a failure its reason and details', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [activity(0), activity(1), activity(2)] });
  const [first, second, third] = it.history.activities(9);
  assert.ok(first && second && third);
  assert.equal(first.input, '{"n":0}');
  it.history.endActivity(first, { ok: true, result: '"r"' }, NOW_MS);
  it.history.endActivity(first, { ok: true, result: '"r"' }, NOW_MS);
  assert.deepEqual(
    it.history.arrivedFor('a').map(({ event }) => event),
    [
      {
        EventType: EVENT.taskCompleted,
        EventId: -1,
        Timestamp: iso(NOW_MS),
        TaskScheduledId: 0,
        Result: '"r"',
      },
    ],
  );
  it.history.endActivity(second, { ok: false, reason: 'no', details: 'stack' }, NOW_MS);
  const { EventType, TaskScheduledId, Reason, Details, FailureDetails } = lastOf('a') ?? assert.fail();
  assert.deepEqual([EventType, TaskScheduledId, Reason, Details], [EVENT.taskFailed, 1, 'no', 'stack']);
  assert.equal(FailureDetails, undefined);
  const failureDetails = { ErrorType: 'T', ErrorMessage: 'm' };
  it.history.endActivity(third, { ok: false, reason: 'no', details: '', failureDetails }, NOW_MS);
  assert.deepEqual(lastOf('a')?.FailureDetails, failureDetails);
  assert.deepEqual(it.history.activities(9), []);
});

test('every beginning of an activity is counted, and as many are shown as asked for, oldest first', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [activity(0), activity(1)] });
  const [first] = it.history.activities(1);
  assert.ok(first);
  it.history.beginActivities([first]);
  it.history.beginActivities([first]);
  assert.deepEqual(it.history.activities(1), [{ ...first, attempts: 2 }]);
  assert.deepEqual(
    it.history.activities(9).map(({ task }) => task),
    [0, 1],
  );
});

test('timers fire when they are due and not before, once, earliest first', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [timer(0, NOW_MS + 20), timer(1, NOW_MS + 10), timer(2, NOW_MS + 30)] });
  assert.equal(it.history.nextTimerMs(), NOW_MS + 10);
  assert.equal(it.history.fireDueTimers(NOW_MS + 9), 0);
  assert.equal(it.history.fireDueTimers(NOW_MS + 20), 2);
  assert.deepEqual(
    it.history.arrivedFor('a').map(({ event }) => event),
    [
      {
        EventType: EVENT.timerFired,
        EventId: -1,
        Timestamp: iso(NOW_MS + 20),
        TimerId: 1,
        FireAt: iso(NOW_MS + 10),
      },
      {
        EventType: EVENT.timerFired,
        EventId: -1,
        Timestamp: iso(NOW_MS + 20),
        TimerId: 0,
        FireAt: iso(NOW_MS + 20),
      },
    ],
  );
  assert.equal(it.history.nextTimerMs(), NOW_MS + 30);
});

test('a timer that was cancelled never fires, whether it was set before or not', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [timer(0, NOW_MS + 5), timer(1, NOW_MS + 5, true)] });
  assert.equal(it.history.nextTimerMs(), NOW_MS + 5);
  episode('a', RUNNING, { cancelledTimers: [0] });
  assert.equal(it.history.nextTimerMs(), undefined);
  assert.equal(it.history.fireDueTimers(NOW_MS + 10), 0);
});

test('a child tells its parent how it ended: well, with an error, or terminated', () => {
  start('p');
  episode('p', RUNNING, { scheduled: [child(0), child(1), child(2, 'named')] });
  const nameless = (n: number) => `${row('p').execution}:${n}`;
  assert.deepEqual([row(nameless(0)).name, row(nameless(0)).input], ['child', '0']);
  episode(nameless(0), { status: 'Completed', output: '10' });
  const heard = () => {
    const { EventType, EventId, TaskScheduledId, Result, Reason, FailureDetails } =
      lastOf('p') ?? assert.fail();
    return { EventType, EventId, TaskScheduledId, Result, Reason, FailureDetails };
  };
  const nothing = { EventId: -1, Result: undefined, Reason: undefined, FailureDetails: undefined };
  assert.deepEqual(heard(), {
    ...nothing,
    EventType: EVENT.subOrchestrationCompleted,
    TaskScheduledId: 0,
    Result: '10',
  });
  const FailureDetails = { ErrorType: 'T', ErrorMessage: 'm' };
  episode(nameless(1), { status: 'Failed', reason: 'no', failureDetails: FailureDetails });
  assert.deepEqual(heard(), {
    ...nothing,
    EventType: EVENT.subOrchestrationFailed,
    TaskScheduledId: 1,
    Reason: 'no',
    FailureDetails,
  });
  assert.equal(it.history.terminate('named', 'enough', NOW_MS), 'Pending');
  assert.deepEqual(heard(), {
    ...nothing,
    EventType: EVENT.subOrchestrationFailed,
    TaskScheduledId: 2,
    Reason: 'enough',
  });
});

test('a parent that has ended, begun anew or gone hears nothing of its children', () => {
  for (const [id, ending] of [
    ['ended', () => it.history.terminate('ended', 'x', NOW_MS)],
    ['anew', () => episode('anew', { status: 'ContinuedAsNew', input: '1' })],
    ['gone', () => [it.history.terminate('gone', 'x', NOW_MS), it.history.purge('gone')]],
  ] as const) {
    start(id);
    episode(id, RUNNING, { scheduled: [child(0, `${id}-child`)] });
    ending();
    const before = types(id);
    episode(`${id}-child`, { status: 'Completed', output: '1' });
    assert.deepEqual(types(id), before, id);
  }
});

test('a child whose id is in use is told to its parent as failed, and the other goes on', () => {
  start('taken', '"mine"');
  start('p');
  episode('p', RUNNING, { scheduled: [child(3, 'taken')] });
  const { EventType, TaskScheduledId, Reason, EventId } = lastOf('p') ?? assert.fail();
  assert.deepEqual([EventType, TaskScheduledId, EventId], [EVENT.subOrchestrationFailed, 3, -1]);
  assert.match(Reason ?? '', /id taken is already running/);
  assert.deepEqual([row('taken').input, row('taken').parent_id], ['"mine"', null]);
});
