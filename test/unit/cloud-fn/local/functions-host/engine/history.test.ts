import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import type Sqlite from 'better-sqlite3';
import { openDatabase } from '../../../../../../cloud-fn/local/functions-host/engine/database.ts';
import type { Episode, EpisodeEnd } from '../../../../../../cloud-fn/local/functions-host/engine/episode.ts';
import {
  createHistory,
  type History,
} from '../../../../../../cloud-fn/local/functions-host/engine/history.ts';
import type { ScheduledTask } from '../../../../../../cloud-fn/local/functions-host/engine/replay/scheduled-task.ts';
import {
  EVENT,
  iso,
  type HistoryEvent,
} from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const root = mkdtempSync(join(tmpdir(), 'dacha-history-'));
let folders = 0;
let db: Sqlite.Database;
let history: History;

beforeEach(() => {
  db = openDatabase(join(root, String((folders += 1))));
  history = createHistory({ db });
});
afterEach(() => db.close());
after(() => rmSync(root, { recursive: true, force: true }));

const start = (id: string, input: string | null = null) =>
  history.start({ id, name: 'parent', input }, NOW_MS);
const row = (id: string) => {
  const found = history.instance(id);
  assert.ok(found, `no instance ${id}`);
  return found;
};
const RUNNING: EpisodeEnd = { status: 'Running' };
/** Stores one episode over everything that has arrived. */
function episode(id: string, end: EpisodeEnd = RUNNING, more: Partial<Episode> = {}, nowMs = NOW_MS) {
  const arrived = history.arrivedFor(id);
  return history.storeEpisode(
    row(id),
    arrived.at(-1)?.seq ?? 0,
    {
      appended: arrived.map((message) => message.event),
      scheduled: [],
      cancelledTimers: [],
      customStatus: undefined,
      end,
      ...more,
    },
    nowMs,
  );
}
const types = (id: string) => history.arrivedFor(id).map((message) => message.event.EventType);
const lastOf = (id: string) => history.arrivedFor(id).at(-1)?.event;
const activity = (id: number, name = 'Echo'): ScheduledTask => ({
  kind: 'activity',
  id,
  name,
  input: { n: id },
});
const timer = (id: number, fireAtMs: number, cancelled = false): ScheduledTask => ({
  kind: 'timer',
  id,
  fireAtMs,
  cancelled,
});
const child = (id: number, instanceId?: string): ScheduledTask => ({
  kind: 'sub-orchestration',
  id,
  name: 'child',
  input: id,
  instanceId,
  version: undefined,
});

test('a running instance is not started again; a finished one is replaced, and nothing of it is left', () => {
  assert.equal(start('a', '1'), true);
  assert.equal(start('a', '2'), false);
  episode('a', RUNNING, { scheduled: [activity(0), timer(1, NOW_MS + 5)], customStatus: '"s"' });
  history.raiseEvent('a', 'X', '1', NOW_MS);
  const { execution } = row('a');
  history.terminate('a', 'enough', NOW_MS);
  assert.equal(start('a', '3'), true);
  const again = row('a');
  assert.deepEqual([again.status, again.input, again.custom_status], ['Pending', '3', null]);
  assert.notEqual(again.execution, execution);
  assert.deepEqual(history.eventsOf('a'), []);
  assert.deepEqual(types('a'), [EVENT.executionStarted]);
  assert.deepEqual([history.activities(9), history.nextTimerMs()], [[], undefined]);
});

test('what an instance was started with is in its first event', () => {
  history.start({ id: 'a', name: 'parent', input: '{"x":1}', version: '2' }, NOW_MS);
  const { EventId, Name, Input, Version, Timestamp } = lastOf('a') ?? assert.fail();
  assert.deepEqual([EventId, Name, Input, Version, Timestamp], [-1, 'parent', '{"x":1}', '2', iso(NOW_MS)]);
  assert.equal(row('a').version, '2');
  start('b');
  assert.ok(!('Version' in (lastOf('b') ?? {})));
});

test('history grows in order, and what arrived after an episode began waits for the next one', () => {
  start('a');
  const before = history.arrivedFor('a');
  history.raiseEvent('a', 'X', '1', NOW_MS);
  const upTo = before.at(-1)?.seq ?? 0;
  const appended = before.map((message) => message.event);
  const stored = { appended, scheduled: [], cancelledTimers: [], customStatus: undefined, end: RUNNING };
  assert.equal(history.storeEpisode(row('a'), upTo, stored, NOW_MS), true);
  assert.deepEqual(types('a'), [EVENT.eventRaised]);
  history.raiseEvent('a', 'Y', '1', NOW_MS);
  episode('a');
  assert.deepEqual(
    history.eventsOf('a').map((one) => one.Name),
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
  history.terminate('a', 'enough', NOW_MS);
  assert.equal(history.storeEpisode(old, 99, late, NOW_MS), false);
  assert.deepEqual([row('a').status, row('a').output], ['Terminated', '"enough"']);
  start('a');
  assert.equal(history.storeEpisode(old, 99, late, NOW_MS), false);
  assert.deepEqual([row('a').status, types('a')], ['Pending', [EVENT.executionStarted]]);
  assert.equal(history.storeEpisode(row('a'), 99, late, NOW_MS), true);
  history.purge('a');
  assert.equal(history.storeEpisode(old, 99, late, NOW_MS), false);
});

test('an activity ends once; its result carries its number, a failure its reason and details', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [activity(0), activity(1), activity(2)] });
  const [first, second, third] = history.activities(9);
  assert.ok(first && second && third);
  assert.equal(first.input, '{"n":0}');
  history.endActivity(first, { ok: true, result: '"r"' }, NOW_MS);
  history.endActivity(first, { ok: true, result: '"r"' }, NOW_MS);
  assert.deepEqual(
    history.arrivedFor('a').map(({ event }) => event),
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
  history.endActivity(second, { ok: false, reason: 'no', details: 'stack' }, NOW_MS);
  const { EventType, TaskScheduledId, Reason, Details, FailureDetails } = lastOf('a') ?? assert.fail();
  assert.deepEqual([EventType, TaskScheduledId, Reason, Details], [EVENT.taskFailed, 1, 'no', 'stack']);
  assert.equal(FailureDetails, undefined);
  const failureDetails = { ErrorType: 'T', ErrorMessage: 'm' };
  history.endActivity(third, { ok: false, reason: 'no', details: '', failureDetails }, NOW_MS);
  assert.deepEqual(lastOf('a')?.FailureDetails, failureDetails);
  assert.deepEqual(history.activities(9), []);
});

test('every beginning of an activity is counted, and as many are shown as asked for, oldest first', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [activity(0), activity(1)] });
  const [first] = history.activities(1);
  assert.ok(first);
  history.beginActivities([first]);
  history.beginActivities([first]);
  assert.deepEqual(history.activities(1), [{ ...first, attempts: 2 }]);
  assert.deepEqual(
    history.activities(9).map(({ task }) => task),
    [0, 1],
  );
});

test('timers fire when they are due and not before, once, earliest first', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [timer(0, NOW_MS + 20), timer(1, NOW_MS + 10), timer(2, NOW_MS + 30)] });
  assert.equal(history.nextTimerMs(), NOW_MS + 10);
  assert.equal(history.fireDueTimers(NOW_MS + 9), 0);
  assert.equal(history.fireDueTimers(NOW_MS + 20), 2);
  assert.deepEqual(
    history.arrivedFor('a').map(({ event }) => event),
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
  assert.equal(history.nextTimerMs(), NOW_MS + 30);
});

test('a timer that was cancelled never fires, whether it was set before or not', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [timer(0, NOW_MS + 5), timer(1, NOW_MS + 5, true)] });
  assert.equal(history.nextTimerMs(), NOW_MS + 5);
  episode('a', RUNNING, { cancelledTimers: [0] });
  assert.equal(history.nextTimerMs(), undefined);
  assert.equal(history.fireDueTimers(NOW_MS + 10), 0);
});

test('a finished instance keeps its history and its words, and nothing of it moves any more', () => {
  start('a');
  episode('a', RUNNING, { scheduled: [activity(0), timer(1, NOW_MS)], customStatus: '"step"' });
  history.raiseEvent('a', 'X', '1', NOW_MS);
  episode('a', { status: 'Completed', output: '"out"' }, {}, NOW_MS + 7);
  const { status, output, custom_status, updated_ms, created_ms } = row('a');
  assert.deepEqual([status, output, custom_status], ['Completed', '"out"', '"step"']);
  assert.deepEqual([created_ms, updated_ms], [NOW_MS, NOW_MS + 7]);
  assert.equal(history.eventsOf('a').length, 2);
  assert.deepEqual([history.activities(9), history.nextTimerMs(), types('a')], [[], undefined, []]);
  assert.equal(history.raiseEvent('a', 'X', '1', NOW_MS), 'Completed');
  assert.equal(history.terminate('a', 'late', NOW_MS), 'Completed');
  assert.equal(history.suspend('a', 'x', NOW_MS), 'Completed');
  assert.deepEqual([row('a').status, row('a').output, types('a')], ['Completed', '"out"', []]);
});

test('what had arrived for an instance that is terminated stands in its history and moves nothing', () => {
  start('a');
  history.raiseEvent('a', 'X', '1', NOW_MS);
  history.suspend('a', 'pause', NOW_MS);
  history.terminate('a', 'enough', NOW_MS);
  assert.deepEqual([types('a'), history.runnable()], [[], []]);
  assert.deepEqual(
    history.eventsOf('a').map(({ EventType }) => EventType),
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
  assert.equal(history.terminate('named', 'enough', NOW_MS), 'Pending');
  assert.deepEqual(heard(), {
    ...nothing,
    EventType: EVENT.subOrchestrationFailed,
    TaskScheduledId: 2,
    Reason: 'enough',
  });
});

test('a parent that has ended, begun anew or gone hears nothing of its children', () => {
  for (const [id, ending] of [
    ['ended', () => history.terminate('ended', 'x', NOW_MS)],
    ['anew', () => episode('anew', { status: 'ContinuedAsNew', input: '1' })],
    ['gone', () => [history.terminate('gone', 'x', NOW_MS), history.purge('gone')]],
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

test('an instance that begins anew has a new execution, the new input, and only the events raised meanwhile', () => {
  start('a', '0');
  history.raiseEvent('a', 'DROPPED', '1', NOW_MS);
  episode('a', RUNNING, { scheduled: [activity(0), activity(1), timer(2, NOW_MS)], customStatus: '"s"' });
  const old = row('a');
  const taken = history.arrivedFor('a').at(-1)?.seq ?? 0;
  history.raiseEvent('a', 'KEPT', '2', NOW_MS);
  const [running] = history.activities(1);
  assert.ok(running);
  history.endActivity(running, { ok: true, result: '1' }, NOW_MS);
  history.storeEpisode(
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
    history.arrivedFor('a').map(({ event }) => event.Name),
    ['parent', 'KEPT'],
  );
  assert.deepEqual(history.eventsOf('a'), []);
  assert.deepEqual([history.activities(9), history.nextTimerMs()], [[], undefined]);
});

test('a suspension is in the history that is shown from the moment the state says it, once', () => {
  start('a');
  episode('a');
  const shown = () => history.explanationOf('a').map((event) => [event.EventType, event.Reason]);
  const told = (...more: [number, string | null][]) => {
    assert.deepEqual(shown(), [[EVENT.executionStarted, undefined], ...more]);
  };
  history.raiseEvent('a', 'go', '1', NOW_MS);
  history.suspend('a', null, NOW_MS);
  told([EVENT.executionSuspended, null]);
  history.resume('a', 'on', NOW_MS);
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
  history.suspend('a', 'pause', NOW_MS);
  episode('a');
  assert.deepEqual([row('a').status, row('a').output], ['Suspended', '"pause"']);
  history.raiseEvent('a', 'X', '1', NOW_MS);
  assert.equal(history.resume('a', 'on', NOW_MS), 'Suspended');
  assert.deepEqual([row('a').status, row('a').output], ['Running', '"on"']);
  assert.deepEqual(history.runnable(), ['a']);
  start('b');
  history.resume('b', null, NOW_MS);
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
  history.rewind('a', 'again', NOW_MS);
  assert.deepEqual(
    history.eventsOf('a').map((event) => event.EventType),
    [EVENT.taskScheduled, EVENT.generic, EVENT.taskCompleted, EVENT.generic, EVENT.generic],
  );
  assert.deepEqual([row('a').status, row('a').output, types('a')], ['Running', null, [EVENT.generic]]);
});

test('an instance that replaces another counts its generation, and a child has none', () => {
  const generation = (id: string) => history.arrivedFor(id)[0]?.event.Generation;
  start('a');
  assert.equal(generation('a'), 0);
  episode('a', RUNNING, {
    appended: history.arrivedFor('a').map(({ event }) => event),
    scheduled: [child(0, 'c')],
  });
  assert.equal(generation('c'), undefined);
  history.terminate('a', null, NOW_MS);
  start('a');
  assert.equal(generation('a'), 1);
});

test('those to whom something came first are first', () => {
  for (const id of ['c', 'a', 'b']) start(id);
  assert.deepEqual(history.runnable(), ['c', 'a', 'b']);
  episode('c');
  assert.deepEqual(history.runnable(), ['a', 'b']);
});

test('purge takes a finished instance with all its history, and nothing else', () => {
  start('a');
  episode('a');
  assert.equal(history.purge('a'), false);
  episode('a', { status: 'Completed', output: '1' });
  start('b');
  assert.equal(history.purge('nobody'), false);
  assert.equal(history.purge('a'), true);
  assert.deepEqual([history.instance('a'), history.eventsOf('a')], [undefined, []]);
  assert.deepEqual(types('b'), [EVENT.executionStarted]);
});

test('an event keeps its name and its value; for nobody it goes nowhere', () => {
  start('a');
  assert.equal(history.raiseEvent('a', 'X', '{"v":1}', NOW_MS), 'Pending');
  assert.deepEqual(lastOf('a'), {
    EventType: EVENT.eventRaised,
    EventId: -1,
    Timestamp: iso(NOW_MS),
    Name: 'X',
    Input: '{"v":1}',
  });
  assert.equal(history.raiseEvent('nobody', 'X', '1', NOW_MS), undefined);
});
