import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  EVENT,
  iso,
  type HistoryEvent,
} from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { NOW_MS, RUNNING, activity, timer, child, useHistory } from './history-rig.ts';

const it = useHistory();
const { start, row, episode, types, lastOf } = it;

test('a running instance is not started again; a finished one is replaced, and nothing of it is left', () => {
  assert.equal(start('a', '1'), true);
  assert.equal(start('a', '2'), false);
  episode('a', RUNNING, { scheduled: [activity(0), timer(1, NOW_MS + 5)], customStatus: '"s"' });
  it.history.raiseEvent('a', 'X', '1', NOW_MS);
  const { execution } = row('a');
  it.history.terminate('a', 'enough', NOW_MS);
  assert.equal(start('a', '3'), true);
  const again = row('a');
  assert.deepEqual([again.status, again.input, again.custom_status], ['Pending', '3', null]);
  assert.notEqual(again.execution, execution);
  assert.deepEqual(it.history.eventsOf('a'), []);
  assert.deepEqual(types('a'), [EVENT.executionStarted]);
  assert.deepEqual([it.history.activities(9), it.history.nextTimerMs()], [[], undefined]);
});

test('what an instance was started with is in its first event', () => {
  it.history.start({ id: 'a', name: 'parent', input: '{"x":1}', version: '2' }, NOW_MS);
  const { EventId, Name, Input, Version, Timestamp } = lastOf('a') ?? assert.fail();
  assert.deepEqual([EventId, Name, Input, Version, Timestamp], [-1, 'parent', '{"x":1}', '2', iso(NOW_MS)]);
  assert.equal(row('a').version, '2');
  start('b');
  assert.ok(!('Version' in (lastOf('b') ?? {})));
});

test('history grows in order, and what arrived after an episode began waits for the next one', () => {
  start('a');
  const before = it.history.arrivedFor('a');
  it.history.raiseEvent('a', 'X', '1', NOW_MS);
  const upTo = before.at(-1)?.seq ?? 0;
  const appended = before.map((message) => message.event);
  const stored = { appended, scheduled: [], cancelledTimers: [], customStatus: undefined, end: RUNNING };
  assert.equal(it.history.storeEpisode(row('a'), upTo, stored, NOW_MS), true);
  assert.deepEqual(types('a'), [EVENT.eventRaised]);
  it.history.raiseEvent('a', 'Y', '1', NOW_MS);
  episode('a');
  assert.deepEqual(
    it.history.eventsOf('a').map((one) => one.Name),
    ['parent', 'X', 'Y'],
  );
  assert.deepEqual(types('a'), []);
});

test('an episode of an instance that was terminated or replaced meanwhile changes nothing', () => {
  start('a');
  const old = row('a');
  const late = {
    appended: [],
    scheduled: [activity(0)],
    cancelledTimers: [],
    customStatus: undefined,
    end: { status: 'Completed', output: '1' },
  } as const;
  it.history.terminate('a', 'enough', NOW_MS);
  assert.equal(it.history.storeEpisode(old, 99, late, NOW_MS), false);
  assert.deepEqual([row('a').status, row('a').output], ['Terminated', '"enough"']);
  start('a');
  assert.equal(it.history.storeEpisode(old, 99, late, NOW_MS), false);
  assert.deepEqual([row('a').status, types('a')], ['Pending', [EVENT.executionStarted]]);
  assert.equal(it.history.storeEpisode(row('a'), 99, late, NOW_MS), true);
  it.history.purge('a');
  assert.equal(it.history.storeEpisode(old, 99, late, NOW_MS), false);
});

test('a finished instance keeps its history and its words, and nothing of it moves any more', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [activity(0), timer(1, NOW_MS)], customStatus: '"step"' });
  it.history.raiseEvent('a', 'X', '1', NOW_MS);
  episode('a', { status: 'Completed', output: '"out"' }, {}, NOW_MS + 7);
  const { status, output, custom_status, updated_ms, created_ms } = row('a');
  assert.deepEqual([status, output, custom_status], ['Completed', '"out"', '"step"']);
  assert.deepEqual([created_ms, updated_ms], [NOW_MS, NOW_MS + 7]);
  assert.equal(it.history.eventsOf('a').length, 2);
  assert.deepEqual([it.history.activities(9), it.history.nextTimerMs(), types('a')], [[], undefined, []]);
  assert.equal(it.history.raiseEvent('a', 'X', '1', NOW_MS), 'Completed');
  assert.equal(it.history.terminate('a', 'late', NOW_MS), 'Completed');
  assert.equal(it.history.suspend('a', 'x', NOW_MS), 'Completed');
  assert.deepEqual([row('a').status, row('a').output, types('a')], ['Completed', '"out"', []]);
});

test('what had arrived for an instance that is terminated stands in its history and moves nothing', () => {
  start('a');
  it.history.raiseEvent('a', 'X', '1', NOW_MS);
  it.history.suspend('a', 'pause', NOW_MS);
  it.history.terminate('a', 'enough', NOW_MS);
  assert.deepEqual([types('a'), it.history.runnable()], [[], []]);
  assert.deepEqual(
    it.history.eventsOf('a').map(({ EventType }) => EventType),
    [
      EVENT.executionStarted,
      EVENT.eventRaised,
      EVENT.executionSuspended,
      EVENT.executionTerminated,
      EVENT.executionCompleted,
    ],
  );
});

test('a failed instance says why', () => {
  start('a');
  episode('a', { status: 'Failed', reason: 'it broke' });
  assert.deepEqual([row('a').status, row('a').output], ['Failed', '"it broke"']);
});

test('an instance that begins anew has a new execution, the new input, and only the events raised meanwhile', () => {
  start('a', '0');
  it.history.raiseEvent('a', 'DROPPED', '1', NOW_MS);
  episode('a', RUNNING, { scheduled: [activity(0), activity(1), timer(2, NOW_MS)], customStatus: '"s"' });
  const old = row('a');
  const taken = it.history.arrivedFor('a').at(-1)?.seq ?? 0;
  it.history.raiseEvent('a', 'KEPT', '2', NOW_MS);
  const [running] = it.history.activities(1);
  assert.ok(running);
  it.history.endActivity(running, { ok: true, result: '1' }, NOW_MS);
  it.history.storeEpisode(
    old,
    taken,
    {
      appended: [],
      scheduled: [],
      cancelledTimers: [],
      customStatus: undefined,
      end: { status: 'ContinuedAsNew', input: '1' },
    },
    NOW_MS + 3,
  );
  const { execution, input, custom_status, status, updated_ms } = row('a');
  assert.notEqual(execution, old.execution);
  assert.deepEqual([input, custom_status, status, updated_ms], ['1', null, 'Running', NOW_MS + 3]);
  assert.deepEqual(
    it.history.arrivedFor('a').map(({ event }) => event.Name),
    ['parent', 'KEPT'],
  );
  assert.deepEqual(it.history.eventsOf('a'), []);
  assert.deepEqual([it.history.activities(9), it.history.nextTimerMs()], [[], undefined]);
});

test('a suspension is in the history that is shown from the moment the state says it, once', () => {
  start('a');
  episode('a');
  const shown = () => it.history.explanationOf('a').map((event) => [event.EventType, event.Reason]);
  const told = (...more: [number, string | null][]) => {
    assert.deepEqual(shown(), [[EVENT.executionStarted, undefined], ...more]);
  };
  it.history.raiseEvent('a', 'go', '1', NOW_MS);
  it.history.suspend('a', null, NOW_MS);
  told([EVENT.executionSuspended, null]);
  it.history.resume('a', 'on', NOW_MS);
  told([EVENT.executionSuspended, null], [EVENT.executionResumed, 'on']);
  episode('a');
  assert.deepEqual(
    shown().map(([type]) => type),
    [EVENT.executionStarted, EVENT.eventRaised, EVENT.executionSuspended, EVENT.executionResumed],
  );
});

test('suspended while an episode runs it stays suspended and says why; resumed it goes on; resuming what runs changes nothing', () => {
  start('a');
  episode('a');
  it.history.suspend('a', 'pause', NOW_MS);
  episode('a');
  assert.deepEqual([row('a').status, row('a').output], ['Suspended', '"pause"']);
  it.history.raiseEvent('a', 'X', '1', NOW_MS);
  assert.equal(it.history.resume('a', 'on', NOW_MS), 'Suspended');
  assert.deepEqual([row('a').status, row('a').output], ['Running', '"on"']);
  assert.deepEqual(it.history.runnable(), ['a']);
  start('b');
  it.history.resume('b', null, NOW_MS);
  assert.equal(row('b').status, 'Pending');
});

test('a rewound instance has its failed activity before it again, and keeps what had succeeded', () => {
  const at = { EventId: -1, Timestamp: iso(NOW_MS) };
  const events: HistoryEvent[] = [
    { ...at, EventType: EVENT.taskScheduled, EventId: 0, Name: 'good' },
    { ...at, EventType: EVENT.taskScheduled, EventId: 1, Name: 'bad' },
    { ...at, EventType: EVENT.taskCompleted, TaskScheduledId: 0, Result: '1' },
    { ...at, EventType: EVENT.taskFailed, TaskScheduledId: 1, Reason: 'no' },
    { ...at, EventType: EVENT.executionCompleted, OrchestrationStatus: 'Failed' },
  ];
  start('a');
  episode('a', { status: 'Failed', reason: 'no' }, { appended: events });
  it.history.rewind('a', 'again', NOW_MS);
  assert.deepEqual(
    it.history.eventsOf('a').map((event) => event.EventType),
    [EVENT.taskScheduled, EVENT.generic, EVENT.taskCompleted, EVENT.generic, EVENT.generic],
  );
  assert.deepEqual([row('a').status, row('a').output, types('a')], ['Running', null, [EVENT.generic]]);
});

test('an instance that replaces another counts its generation, and a child has none', () => {
  const generation = (id: string) => it.history.arrivedFor(id)[0]?.event.Generation;
  start('a');
  assert.equal(generation('a'), 0);
  episode('a', RUNNING, {
    appended: it.history.arrivedFor('a').map(({ event }) => event),
    scheduled: [child(0, 'c')],
  });
  assert.equal(generation('c'), undefined);
  it.history.terminate('a', null, NOW_MS);
  start('a');
  assert.equal(generation('a'), 1);
});

test('those to whom something came first are first', () => {
  for (const id of ['c', 'a', 'b']) start(id);
  assert.deepEqual(it.history.runnable(), ['c', 'a', 'b']);
  episode('c');
  assert.deepEqual(it.history.runnable(), ['a', 'b']);
});

test('purge takes a finished instance with all its history, and nothing else', () => {
  start('a');
  episode('a');
  assert.equal(it.history.purge('a'), false);
  episode('a', { status: 'Completed', output: '1' });
  start('b');
  assert.equal(it.history.purge('nobody'), false);
  assert.equal(it.history.purge('a'), true);
  assert.deepEqual([it.history.instance('a'), it.history.eventsOf('a')], [undefined, []]);
  assert.deepEqual(types('b'), [EVENT.executionStarted]);
});

test('an event keeps its name and its value; for nobody it goes nowhere', () => {
  start('a');
  assert.equal(it.history.raiseEvent('a', 'X', '{"v":1}', NOW_MS), 'Pending');
  assert.deepEqual(lastOf('a'), {
    EventType: EVENT.eventRaised,
    EventId: -1,
    Timestamp: iso(NOW_MS),
    Name: 'X',
    Input: '{"v":1}',
  });
  assert.equal(it.history.raiseEvent('nobody', 'X', '1', NOW_MS), undefined);
});
