import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createActivities } from '../../../../../../cloud-fn/local/functions-host/engine/activities.ts';
import type { Invoke } from '../../../../../../cloud-fn/local/functions-host/triggers/invoke.ts';
import { EVENT } from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { byName, hosted, logOf, stateOf, until } from '../host-bench.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);

/** One instance that has asked for activities with these inputs. */
function bench(t: TestContext, inputs: readonly unknown[], invoke: Invoke, concurrency = 10) {
  const { db, history } = stateOf(t);
  history.start({ id: 'a', name: 'orchestration', input: null }, NOW_MS);
  const row = history.instance('a') ?? assert.fail();
  const scheduled = inputs.map((input, id) => ({ kind: 'activity', id, name: 'Echo', input }) as const);
  const upTo = history.arrivedFor('a')[0]?.seq ?? 0;
  const nothing = { appended: [], cancelledTimers: [], customStatus: undefined };
  history.storeEpisode(row, upTo, { ...nothing, scheduled, end: { status: 'Running' } }, NOW_MS);
  const book = logOf();
  let ends = 0;
  const activities = createActivities({
    history,
    functions: byName(hosted('Echo', 'activityTrigger')),
    invoke,
    nowMs: () => NOW_MS,
    concurrency,
    log: book.log,
    onEnded: () => (ends += 1),
  });
  const heard = () => history.arrivedFor('a').map(({ event }) => event);
  return { db, history, activities, book, heard, ends: () => ends };
}
const gate = () => Promise.withResolvers<void>();

test('what an activity gives back is put into the inbox of its instance, and whoever waits is told', async (t) => {
  const given: unknown[] = [];
  const { activities, heard, ends } = bench(t, [{ a: 1 }, 'text', null], async (_, { data }) => {
    given.push(data);
    return { json: '{"r":1}' };
  });
  activities.kick();
  assert.equal(activities.running(), 3);
  await activities.drained();
  assert.deepEqual(given, [{ string: '{"a":1}' }, { string: 'text' }, {}]);
  assert.deepEqual(
    heard().map(({ EventType, TaskScheduledId, Result }) => [EventType, TaskScheduledId, Result]),
    [0, 1, 2].map((id) => [EVENT.taskCompleted, id, '{"r":1}']),
  );
  assert.deepEqual([ends(), activities.running()], [3, 0]);
});

test('no more run at once than allowed, none runs twice, and the rest follow', async (t) => {
  const gates = [gate(), gate(), gate(), gate(), gate()];
  let begun = 0;
  const { activities } = bench(
    t,
    [0, 1, 2, 3, 4],
    async () => {
      begun += 1;
      await gates[begun - 1]?.promise;
      return { json: '1' };
    },
    2,
  );
  activities.kick();
  activities.kick();
  assert.deepEqual([begun, activities.running()], [2, 2]);
  gates[0]?.resolve();
  await until('one has ended', () => activities.running() === 1);
  activities.kick();
  activities.kick();
  assert.deepEqual([begun, activities.running()], [3, 2]);
  for (const one of gates) one.resolve();
  await activities.drained();
  activities.kick();
  await activities.drained();
  assert.deepEqual([begun, activities.running()], [5, 0]);
});

test('a failure is told with the message and where it happened', async (t) => {
  const { activities, heard } = bench(t, [1], () => Promise.reject(new Error('link down')));
  activities.kick();
  await activities.drained();
  const [event] = heard();
  assert.equal(event?.EventType, EVENT.taskFailed);
  assert.equal(event?.Reason, "Activity function 'Echo' failed: link down");
  const details = JSON.parse(event?.Details ?? '') as {
    Message: string;
    InnerException: { Message: string };
  };
  assert.equal(details.Message, 'link down');
  assert.match(details.InnerException.Message, /Error: link down\n +at /);
  assert.equal(event?.FailureDetails, undefined);
});

test('what was thrown and is no error is told as it is', async (t) => {
  const { activities, heard } = bench(t, [1], async () => {
    // oxlint-disable-next-line only-throw-error -- a function of others may
    throw 'plain';
  });
  activities.kick();
  await activities.drained();
  assert.equal(heard()[0]?.Reason, "Activity function 'Echo' failed: plain");
});

test('properties an app adds to its errors reach the orchestration', async (t) => {
  const told = {
    errorType: 'T',
    errorMessage: 'm',
    stackTrace: 's',
    isNonRetriable: true,
    properties: { a: 1 },
  };
  const bare = { errorType: 'T', errorMessage: 'm' };
  for (const [message, expected] of [
    [
      told,
      { ErrorType: 'T', ErrorMessage: 'm', IsNonRetriable: true, StackTrace: 's', Properties: { a: 1 } },
    ],
    [bare, { ErrorType: 'T', ErrorMessage: 'm', IsNonRetriable: false }],
  ] as const) {
    const { activities, heard } = bench(t, [1], () => Promise.reject(new Error(JSON.stringify(message))));
    activities.kick();
    await activities.drained();
    assert.equal(heard()[0]?.Reason, "Activity function 'Echo' failed: m");
    assert.deepEqual(heard()[0]?.FailureDetails, expected);
  }
});

test('an activity that ends the process at every try is given up after twenty, and one nobody registered at once', async (t) => {
  let calls = 0;
  const { history, activities, heard } = bench(t, [1, 2], async () => {
    calls += 1;
    return { json: '1' };
  });
  const [killer, other] = history.activities(9);
  assert.ok(killer && other);
  for (let begun = 0; begun < 20; begun += 1) history.beginActivities([killer]);
  for (let begun = 0; begun < 19; begun += 1) history.beginActivities([other]);
  activities.kick();
  await activities.drained();
  const [first, second] = heard().toSorted((a, b) => (a.TaskScheduledId ?? 0) - (b.TaskScheduledId ?? 0));
  assert.match(first?.Reason ?? '', /failed: it was begun 20 times and never ended/);
  assert.equal(second?.EventType, EVENT.taskCompleted);
  assert.equal(calls, 1);
});

test('every beginning is on disk before the function is called', async (t) => {
  const seen: (number | undefined)[] = [];
  const { history, activities } = bench(t, [1], async () => {
    seen.push(history.activities(1)[0]?.attempts);
    return { json: '1' };
  });
  activities.kick();
  await activities.drained();
  assert.deepEqual(seen, [1]);
});

test('a result that cannot be stored is not lost: the activity runs again, a while later, and says so', async (t) => {
  let calls = 0;
  const { db, activities, heard, book, ends } = bench(t, [1], async () => {
    calls += 1;
    // The disk is full when the result is to be stored.
    db.pragma(calls === 1 ? 'query_only = ON' : 'query_only = OFF');
    return { json: '1' };
  });
  activities.kick();
  await until('it is told', () => book.lines.length > 0);
  db.pragma('query_only = OFF');
  assert.deepEqual([book.events(), book.lines[0]?.['function']], [['activity.not-stored'], 'Echo']);
  assert.equal(activities.running(), 1, 'not at once');
  activities.kick();
  assert.equal(calls, 1);
  await activities.drained();
  assert.deepEqual([ends(), heard()], [1, []]);
  activities.kick();
  await activities.drained();
  assert.deepEqual([calls, heard().length], [2, 1]);
});
