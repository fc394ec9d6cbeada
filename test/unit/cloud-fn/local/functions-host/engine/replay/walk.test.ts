import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OrchestrationRefused } from '../../../../../../../cloud-fn/local/functions-host/engine/replay/determinism.ts';
import { walkActions } from '../../../../../../../cloud-fn/local/functions-host/engine/replay/walk.ts';
import {
  ACTION,
  EVENT,
  iso,
  type Action,
  type HistoryEvent,
} from '../../../../../../../cloud-fn/local/functions-host/engine/wire.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 21, 12);

const event = (EventType: HistoryEvent['EventType'], more: Partial<HistoryEvent> = {}): HistoryEvent => ({
  EventType,
  EventId: -1,
  Timestamp: iso(START_MS),
  ...more,
});
/** The host looks at the instance at this moment of its life. */
const at = (ms: number) => event(EVENT.orchestratorStarted, { Timestamp: iso(START_MS + ms) });
const begun = event(EVENT.executionStarted);
const scheduled = (id: number, Name: string) => event(EVENT.taskScheduled, { EventId: id, Name });
const timerCreated = (id: number) => event(EVENT.timerCreated, { EventId: id });
const done = (id: number) => event(EVENT.taskCompleted, { TaskScheduledId: id });
const failed = (id: number) => event(EVENT.taskFailed, { TaskScheduledId: id });
const fired = (id: number) => event(EVENT.timerFired, { TimerId: id });
const raised = (Name: string) => event(EVENT.eventRaised, { Name });

const call = (functionName: string): Action => ({ actionType: ACTION.callActivity, functionName });
const waitFor = (externalEventName: string): Action => ({
  actionType: ACTION.waitForExternalEvent,
  externalEventName,
});
const timer = (ms: number, more: Partial<Action> = {}): Action => ({
  actionType: ACTION.createTimer,
  fireAt: iso(START_MS + ms),
  ...more,
});
const any = (...compoundActions: Action[]): Action => ({ actionType: ACTION.whenAny, compoundActions });
const all = (...compoundActions: Action[]): Action => ({ actionType: ACTION.whenAll, compoundActions });
const retried = (functionName: string, more: object = {}): Action => ({
  actionType: ACTION.callActivityWithRetry,
  functionName,
  retryOptions: { firstRetryIntervalInMilliseconds: 5_000, maxNumberOfAttempts: 3, ...more },
});

/** What is wanted for the first time: `0 Echo`, or for a timer `1 +5000`. */
const fresh = (actions: readonly Action[], ...history: HistoryEvent[]) =>
  walkActions(actions, history).fresh.map((task) =>
    task.kind === 'timer' ? `${task.id} +${task.fireAtMs - START_MS}` : `${task.id} ${task.name}`,
  );

test('one action after the other: the next is wanted when the one before has ended, well or not', () => {
  const actions = [call('A'), call('B'), call('C')];
  assert.deepEqual(fresh(actions, at(0), begun), ['0 A']);
  assert.deepEqual(fresh(actions, at(0), begun, scheduled(0, 'A'), at(1)), []);
  assert.deepEqual(fresh(actions, at(0), begun, scheduled(0, 'A'), at(1), done(0)), ['1 B']);
  const second = [at(0), begun, scheduled(0, 'A'), at(1), done(0), scheduled(1, 'B'), at(2)];
  assert.deepEqual(fresh(actions, ...second, failed(1)), ['2 C']);
});

test('a result that comes twice moves nothing twice', () => {
  const actions = [call('A'), call('B'), call('C')];
  assert.deepEqual(fresh(actions, at(0), begun, scheduled(0, 'A'), at(1), done(0), done(0)), ['1 B']);
  assert.equal(walkActions(actions, [at(0), begun, scheduled(0, 'A'), at(1), done(7)]).openTasks, 1);
});

test('all of a group start together, and what follows waits for the last of them', () => {
  const actions = [all(call('A'), call('B')), call('C')];
  assert.deepEqual(fresh(actions, at(0), begun), ['0 A', '1 B']);
  const history = [at(0), begun, scheduled(0, 'A'), scheduled(1, 'B'), at(1)];
  assert.deepEqual(fresh(actions, ...history, done(1)), []);
  assert.deepEqual(fresh(actions, ...history, done(1), failed(0)), ['2 C']);
});

test('of a race the first moves on, once, and the loser stays open until it has ended', () => {
  const actions = [any(call('A'), call('B')), call('C')];
  const history = [at(0), begun, scheduled(0, 'A'), scheduled(1, 'B'), at(1), done(1)];
  assert.deepEqual(fresh(actions, ...history), ['2 C']);
  assert.equal(walkActions(actions, history).openTasks, 2);
  assert.deepEqual(fresh(actions, ...history, scheduled(2, 'C'), at(2), done(0)), []);
  assert.equal(walkActions(actions, [...history, scheduled(2, 'C'), at(2), done(0), done(2)]).openTasks, 0);
});

test('an event raised before anybody waits moves the wait on when it comes, and only one wait', () => {
  const actions = [call('A'), waitFor('X'), call('B'), waitFor('X'), call('C')];
  const early = [at(0), begun, scheduled(0, 'A'), raised('X'), raised('Y'), at(1)];
  assert.deepEqual(fresh(actions, ...early), []);
  assert.deepEqual(fresh(actions, ...early, done(0)), ['1 B']);
  const later = [...early, done(0), scheduled(1, 'B'), at(2), done(1)];
  assert.deepEqual(fresh(actions, ...later), [], 'the second wait has no event yet');
  assert.deepEqual(fresh(actions, ...later, raised('X')), ['2 C']);
});

test('two events raised before anybody waits serve two waits', () => {
  const actions = [call('A'), waitFor('X'), waitFor('X'), call('B'), waitFor('X'), call('C')];
  const early = [at(0), begun, scheduled(0, 'A'), raised('X'), raised('X'), at(1), done(0)];
  assert.deepEqual(fresh(actions, ...early), ['1 B']);
  assert.deepEqual(fresh(actions, ...early, scheduled(1, 'B'), at(2), done(1)), []);
});

test('an event wakes one waiter, and not the waiters of other names', () => {
  const actions = [all(waitFor('X'), waitFor('X'), waitFor('Y')), call('A')];
  assert.deepEqual(fresh(actions, at(0), begun, raised('X'), raised('Y')), []);
  assert.deepEqual(fresh(actions, at(0), begun, raised('X'), raised('Y'), raised('X')), ['0 A']);
});

test('a retry waits longer after every failure, at most as long as it is told, and gives up after the last', () => {
  const limits = { backoffCoefficient: 3, maxRetryIntervalInMilliseconds: 12_000 };
  const actions = [retried('A', limits), call('B')];
  const history = [at(0), begun, scheduled(0, 'A'), at(1_000), failed(0)];
  assert.deepEqual(fresh(actions, ...history), ['1 +6000']);
  assert.equal(walkActions(actions, history).openTasks, 1, 'the wait keeps the instance running');
  history.push(timerCreated(1), at(6_000), fired(1));
  assert.deepEqual(fresh(actions, ...history), ['2 A']);
  history.push(scheduled(2, 'A'), at(7_000), failed(2));
  assert.deepEqual(fresh(actions, ...history), ['3 +19000'], '15 s would be more than the longest wait');
  history.push(timerCreated(3), at(19_000), fired(3), scheduled(4, 'A'), at(20_000), failed(4));
  assert.deepEqual(fresh(actions, ...history), ['5 +32000'], 'the framework waits after the last one too');
  history.push(timerCreated(5), at(32_000), fired(5));
  assert.deepEqual(fresh(actions, ...history), ['6 B']);
});

test('without a factor every wait of a retry is the same; a success ends it at once', () => {
  const actions = [retried('A'), call('B')];
  const history = [at(0), begun, scheduled(0, 'A'), at(0), failed(0), timerCreated(1), at(5_000), fired(1)];
  assert.deepEqual(fresh(actions, ...history, scheduled(2, 'A'), at(5_000), failed(2)), ['3 +10000']);
  assert.deepEqual(fresh(actions, ...history, scheduled(2, 'A'), at(5_000), done(2)), ['3 B']);
});

test('a retry whose time is over is not tried again; until then it is', () => {
  const actions = [retried('A', { retryTimeoutInMilliseconds: 10_000 }), call('B')];
  const failedAt = (ms: number) => fresh(actions, at(500), begun, scheduled(0, 'A'), at(ms), failed(0));
  assert.deepEqual(failedAt(10_499), ['1 +15499']);
  assert.deepEqual(failedAt(10_500), ['1 B']);
});

test('a sub-orchestration is retried like an activity, under the name and id it was given', () => {
  const child: Action = {
    ...retried('child'),
    actionType: ACTION.callSubOrchestratorWithRetry,
    instanceId: 'my-child',
    version: '2',
    input: 7,
  };
  const [wanted] = walkActions([child], [at(0), begun]).fresh;
  assert.deepEqual(wanted, {
    kind: 'sub-orchestration',
    id: 0,
    name: 'child',
    input: 7,
    instanceId: 'my-child',
    version: '2',
  });
  const created = event(EVENT.subOrchestrationCreated, { EventId: 0, Name: 'child' });
  const ended = event(EVENT.subOrchestrationFailed, { TaskScheduledId: 0 });
  assert.deepEqual(fresh([child], at(0), begun, created, at(0), ended), ['1 +5000']);
  const well = event(EVENT.subOrchestrationCompleted, { TaskScheduledId: 0 });
  assert.deepEqual(fresh([child, call('B')], at(0), begun, created, at(0), well), ['1 B']);
});

test('a timer of six days is one timer; a longer one is made of steps of three days', () => {
  assert.deepEqual(fresh([timer(6 * DAY_MS)], at(0), begun), [`0 +${6 * DAY_MS}`]);
  const actions = [timer(6 * DAY_MS + 1), call('A')];
  assert.deepEqual(fresh(actions, at(0), begun), [`0 +${3 * DAY_MS}`]);
  const history = [at(0), begun, timerCreated(0), at(3 * DAY_MS), fired(0)];
  assert.deepEqual(fresh(actions, ...history), [`1 +${6 * DAY_MS + 1}`]);
  assert.deepEqual(fresh(actions, ...history, timerCreated(1), at(6 * DAY_MS + 1), fired(1)), ['2 A']);
});

test('a timer that was cancelled is named once it was set, and keeps nothing open', () => {
  const cancelled = [any(waitFor('X'), timer(1_000, { isCanceled: true }))];
  const walk = walkActions(cancelled, [at(0), begun, timerCreated(0), at(1), raised('X')]);
  assert.deepEqual([walk.cancelledTimers, walk.openTasks], [[0], 0]);
  const never = walkActions(cancelled, [at(0), begun, raised('X')]);
  assert.deepEqual([never.cancelledTimers, never.openTasks, never.fresh.length], [[], 0, 1]);
  const open = walkActions([timer(1_000)], [at(0), begun, timerCreated(0), at(1)]);
  assert.deepEqual([open.cancelledTimers, open.openTasks], [[], 1]);
});

test('time is that of the last look, and never goes back', () => {
  const actions = [call('A'), retried('B')];
  const history = [at(0), begun, scheduled(0, 'A'), at(9_000), done(0), scheduled(1, 'B'), at(2_000)];
  assert.deepEqual(fresh(actions, ...history, failed(1)), ['2 +14000']);
});

test('what begins anew is told with its input', () => {
  const walk = walkActions(
    [call('A'), { actionType: ACTION.continueAsNew, input: { round: 2 } }],
    [at(0), begun],
  );
  assert.equal(walk.continueAsNew, undefined, 'not before A has ended');
  const after = walkActions(
    [call('A'), { actionType: ACTION.continueAsNew, input: { round: 2 } }],
    [at(0), begun, scheduled(0, 'A'), at(1), done(0)],
  );
  assert.deepEqual(after.continueAsNew, { input: { round: 2 } });
});

test('code that does something else than its history says is refused with what was and what is', () => {
  const refused = (actions: readonly Action[], created: HistoryEvent, sentence: RegExp) =>
    assert.throws(
      () => walkActions(actions, [at(0), begun, created]),
      (error: Error) => error instanceof OrchestrationRefused && sentence.test(error.message),
    );
  const created = event(EVENT.subOrchestrationCreated, { EventId: 0, Name: 'A' });
  refused(
    [call('B')],
    scheduled(0, 'A'),
    /an activity task with sequence number 0 named 'A', .* instead scheduled an activity task named 'B' with/,
  );
  refused(
    [timer(5)],
    scheduled(0, 'A'),
    /an activity task with .* named 'A', .* instead scheduled a timer task with/,
  );
  refused(
    [call('A')],
    timerCreated(0),
    /a timer task with sequence number 0, .* instead scheduled an activity task named 'A'/,
  );
  refused(
    [call('A')],
    created,
    /a sub-orchestration task .* named 'A', .* instead scheduled an activity task named 'A'/,
  );
  refused(
    [],
    scheduled(0, 'A'),
    /sequence ID 0 and name 'A' \(version ''\), .* hasn't \(yet\?\) scheduled this task/,
  );
});

test('what this host does not emulate, and a retry without its options, is refused by name', () => {
  const walk = (action: Action) => () => walkActions([action], [at(0), begun]);
  assert.throws(walk({ actionType: ACTION.callHttp }), /does not emulate callHttp/);
  assert.throws(walk({ actionType: ACTION.signalEntity }), /does not emulate signalEntity/);
  assert.throws(walk({ actionType: 99 }), /does not emulate action 99/);
  assert.throws(
    walk({ actionType: ACTION.callActivityWithRetry, functionName: 'A' }),
    /A: a call with retry carries no retry options/,
  );
});

test('an event that came before it is waited for lets all of its group start, and only then what follows', () => {
  const actions = [
    call('Request'),
    any(waitFor('answer'), timer(60_000, { isCanceled: true })),
    call('Look'),
  ];
  const history = [at(0), begun, scheduled(0, 'Request'), at(1), raised('answer'), at(2), done(0)];
  assert.deepEqual(fresh(actions, ...history), ['1 +60000', '2 Look']);
  const both = [any(waitFor('a'), waitFor('b'), timer(60_000)), call('Look')];
  assert.deepEqual(fresh(both, at(0), raised('a'), raised('b'), begun), ['0 +60000', '1 Look'], 'once');
  assert.deepEqual(fresh([all(waitFor('a'), call('A')), call('B')], at(0), raised('a'), begun), ['0 A']);
});
