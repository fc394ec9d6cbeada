import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RpcData } from '../../../../../../cloud-fn/local/functions-host/core-api.ts';
import { createEngine } from '../../../../../../cloud-fn/local/functions-host/engine/engine.ts';
import type { OrchestrationTrigger } from '../../../../../../cloud-fn/local/functions-host/engine/episode.ts';
import type { History } from '../../../../../../cloud-fn/local/functions-host/engine/history.ts';
import {
  ACTION,
  EVENT,
  type Action,
  type HistoryEvent,
  type OrchestratorState,
} from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { createVirtualHostClock } from '../../../../../fakes/cloud/virtual-host-clock.ts';
import { byName, hosted, logOf, stateOf, until } from '../host-bench.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const call = (functionName: string): Action => ({ actionType: ACTION.callActivity, functionName });
const state = (more: Partial<OrchestratorState> & { wants?: readonly Action[] } = {}): OrchestratorState => {
  const { wants = [], ...rest } = more;
  return { isDone: false, actions: [wants], ...rest };
};
type Answer = (trigger: OrchestrationTrigger) => OrchestratorState | RpcData;

/** An engine over real state. `answer` stands for the orchestrator functions, `activity` for the activities. */
function bench(
  t: TestContext,
  answer: Answer,
  { activity = async (): Promise<unknown> => 1, history: given = (real: History) => real } = {},
) {
  const { db, history } = stateOf(t);
  const time = createVirtualHostClock(NOW_MS);
  const book = logOf();
  const engine = createEngine({
    history: given(history),
    orchestrators: byName(hosted('main', 'orchestrationTrigger')),
    activities: byName(hosted('Echo', 'activityTrigger')),
    invoke: async (target, { data }) => {
      if (target.kind === 'activityTrigger') return { json: JSON.stringify(await activity()) };
      const answered = answer(JSON.parse(data.string ?? '') as OrchestrationTrigger);
      return 'isDone' in answered ? { json: JSON.stringify(answered) } : answered;
    },
    clock: time.clock,
    concurrency: 2,
    log: book.log,
  });
  t.after(() => engine.stop(60_000));
  const begin = (id: string, name = 'main') => {
    history.start({ id, name, input: '{"i":1}' }, time.clock.nowMs());
    engine.kick();
    return engine.atRest();
  };
  return { db, history, time, book, engine, begin };
}
const ended = (events: readonly HistoryEvent[]) =>
  events.filter((event) => event.EventType === EVENT.taskCompleted).length;

test('it runs an episode for whatever arrives, and its activities, until the instance has finished', async (t) => {
  const asked: OrchestrationTrigger[] = [];
  const { history, engine, begin, book } = bench(t, (trigger) => {
    asked.push(trigger);
    return state({ wants: [call('Echo')], isDone: ended(trigger.history) === 1, output: 'out' });
  });
  await begin('a');
  assert.equal(asked.length, 0, 'nothing runs before the start');
  engine.start();
  await engine.atRest();
  const { status, output } = history.instance('a') ?? assert.fail();
  assert.deepEqual([status, output], ['Completed', '"out"']);
  assert.deepEqual(
    asked.map((trigger) => [
      trigger.input,
      trigger.instanceId,
      trigger.isReplaying,
      trigger.parentInstanceId,
    ]),
    [
      [{ i: 1 }, 'a', false, null],
      [{ i: 1 }, 'a', true, null],
    ],
  );
  assert.deepEqual(
    book.lines.map(({ event, instanceId, status, scheduled, stored }) => [
      event,
      instanceId,
      status,
      scheduled,
      stored,
    ]),
    [
      ['orchestration.episode', 'a', 'Running', 1, true],
      ['orchestration.episode', 'a', 'Completed', 0, true],
    ],
  );
});

test('a timer wakes its instance when it is due, and not before', async (t) => {
  const { history, engine, begin, time } = bench(t, (trigger) =>
    state({
      wants: [{ actionType: ACTION.createTimer, fireAt: new Date(NOW_MS + 1_000).toISOString() }],
      isDone: trigger.history.some((event) => event.EventType === EVENT.timerFired),
    }),
  );
  engine.start();
  await begin('a');
  await time.advance(999, engine.atRest);
  assert.equal(history.instance('a')?.status, 'Running');
  await time.advance(1, engine.atRest);
  assert.equal(history.instance('a')?.status, 'Completed');
});

test('what nobody registered fails the instance by name: orchestrator, activity, sub-orchestration', async (t) => {
  const child = { actionType: ACTION.callSubOrchestrator, functionName: 'No' };
  let wants: readonly Action[] = [];
  const { history, engine, begin, book } = bench(t, () => state({ wants }));
  engine.start();
  const failure = async (id: string, name = 'main') => {
    await begin(id, name);
    const { status, output } = history.instance(id) ?? assert.fail();
    assert.equal(status, 'Failed');
    assert.equal(book.lines.at(-1)?.['reason'], JSON.parse(output ?? ''));
    return output ?? '';
  };
  assert.match(
    await failure('a', 'nobody'),
    /The function 'nobody' doesn't exist.*known orchestrator functions: 'main'/,
  );
  wants = [call('No')];
  assert.match(await failure('b'), /function 'main' failed: the function 'No' doesn't exist.*kind activity/);
  wants = [child];
  assert.match(await failure('c'), /the function 'No' doesn't exist.*kind sub-orchestration/);
  assert.deepEqual(history.activities(9), []);
});

test('a function that is no orchestrator fails its instance', async (t) => {
  const { history, engine, begin } = bench(t, () => ({ string: 'hello' }));
  engine.start();
  await begin('a');
  assert.match(history.instance('a')?.output ?? '', /not a Durable Functions orchestrator/);
});

test('a full disk stops nothing for good: it is told, and tried again after ever longer waits', async (t) => {
  let broken = true;
  const { history, engine, begin, time, book } = bench(t, () => state({ isDone: true }), {
    history: (real) => ({
      ...real,
      runnable: (except) => {
        if (broken) throw new Error('database or disk is full');
        return real.runnable(except);
      },
    }),
  });
  engine.start();
  await begin('a');
  await time.advance(500 + 1_000 + 2_000 - 1, engine.atRest);
  const waits = () => book.lines.map(({ event, againInMs }) => [event, againInMs]);
  const told = [500, 1_000, 2_000].map((ms) => ['engine.trouble', ms]);
  assert.deepEqual(waits(), told);
  await time.advance(600_000, engine.atRest);
  assert.equal(waits().at(-1)?.[1], 60_000, 'never longer than a minute');
  broken = false;
  await time.advance(60_000, engine.atRest);
  assert.equal(history.instance('a')?.status, 'Completed');
  broken = true;
  await begin('b');
  assert.deepEqual(waits().at(-1), ['engine.trouble', 500], 'new trouble begins with a short wait');
});

test('instances that cannot be moved keep no other from its turn, however many there are', async (t) => {
  const { history, engine } = bench(t, () => state({ isDone: true }), {
    history: (real) => ({
      ...real,
      arrivedFor: (id) => {
        if (id.startsWith('stuck')) throw new Error('its messages cannot be read');
        return real.arrivedFor(id);
      },
    }),
  });
  for (let at = 0; at < 150; at += 1) history.start({ id: `stuck-${at}`, name: 'main', input: null }, NOW_MS);
  history.start({ id: 'last', name: 'main', input: null }, NOW_MS);
  engine.start();
  await engine.atRest();
  assert.equal(history.instance('last')?.status, 'Completed');
});

test('at rest means that no activity runs either', async (t) => {
  const held = Promise.withResolvers<void>();
  const { engine, begin, history } = bench(
    t,
    (trigger) => state({ wants: [call('Echo')], isDone: ended(trigger.history) === 1 }),
    {
      activity: () => held.promise,
    },
  );
  engine.start();
  let isResting = false;
  const resting = begin('a').then(() => (isResting = true));
  await until('the activity is asked for', () => history.activities(1)[0]?.attempts === 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isResting, false);
  held.resolve();
  await resting;
  assert.equal(history.instance('a')?.status, 'Completed');
});

test('stopped, it waits for what runs and begins nothing more', async (t) => {
  const held = Promise.withResolvers<void>();
  const { engine, begin, history, time } = bench(
    t,
    (trigger) => state({ wants: [call('Echo')], isDone: ended(trigger.history) === 1 }),
    { activity: () => held.promise },
  );
  engine.start();
  void begin('a');
  await until('the activity runs', () => history.activities(1)[0]?.attempts === 1);
  let isStopped = false;
  const stopping = engine.stop(60_000).then(() => (isStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isStopped, false);
  held.resolve();
  await stopping;
  history.start({ id: 'b', name: 'main', input: null }, NOW_MS);
  engine.kick();
  await time.advance(600_000, async () => undefined);
  assert.deepEqual(
    ['a', 'b'].map((id) => history.instance(id)?.status),
    ['Running', 'Pending'],
  );
});

test('stopped, it does not wait for ever', async (t) => {
  const held = Promise.withResolvers<void>();
  const { engine, begin, history } = bench(t, () => state({ wants: [call('Echo')] }), {
    activity: () => held.promise,
  });
  engine.start();
  void begin('a');
  await until('the activity runs', () => history.activities(1)[0]?.attempts === 1);
  await engine.stop(1);
  held.resolve();
});

test('a timer for a time that does not exist fails its own instance; the others and the next start go on', async (t) => {
  const wanted = new Map<string, Action>([
    ['nowhere', { actionType: ACTION.createTimer, fireAt: 'Invalid Date' }],
    ['absent', { actionType: ACTION.createTimer }],
    ['far', { actionType: ACTION.createTimer, fireAt: '+999999-01-01T00:00:00.000Z' }],
    [
      'retried',
      {
        ...call('Echo'),
        actionType: ACTION.callActivityWithRetry,
        retryOptions: { firstRetryIntervalInMilliseconds: 1e300, maxNumberOfAttempts: 3 },
      },
    ],
  ]);
  const { history, engine, begin } = bench(
    t,
    ({ instanceId }) => {
      const action = wanted.get(instanceId);
      return action ? state({ wants: [action] }) : state({ isDone: true });
    },
    { activity: () => Promise.reject(new Error('no')) },
  );
  engine.start();
  for (const id of wanted.keys()) await begin(id);
  await begin('other');
  assert.equal(history.instance('other')?.status, 'Completed');
  for (const id of wanted.keys()) {
    const { status, output } = history.instance(id) ?? assert.fail();
    assert.equal(status, 'Failed', id);
    assert.match(output ?? '', /a time that does not exist/);
  }
});

test('an instance whose episode cannot be run waits by itself: the others go on', async (t) => {
  let broken = true;
  const { history, engine, begin, time, book } = bench(t, () => state({ isDone: true }), {
    history: (real) => ({
      ...real,
      eventsOf: (id) => {
        if (broken && id === 'a') throw new Error('this row is damaged');
        return real.eventsOf(id);
      },
    }),
  });
  engine.start();
  await begin('a');
  await begin('b');
  assert.equal(history.instance('b')?.status, 'Completed');
  assert.deepEqual(
    book.lines
      .filter(({ event }) => event === 'engine.trouble')
      .map(({ instanceId, message }) => [instanceId, message]),
    [['a', 'this row is damaged']],
  );
  broken = false;
  await time.advance(1_000, engine.atRest);
  assert.equal(history.instance('a')?.status, 'Completed');
});

test('an orchestration that begins anew for ever keeps nothing else in the process from running', async (t) => {
  const { history, engine } = bench(t, ({ instanceId }) =>
    instanceId === 'endless'
      ? state({ isDone: true, wants: [{ actionType: ACTION.continueAsNew, input: 1 }] })
      : state({ isDone: true }),
  );
  engine.start();
  history.start({ id: 'endless', name: 'main', input: null }, NOW_MS);
  engine.kick();
  // What waits for the event loop, like a request, gets its turn between two episodes.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(history.instance('endless')?.status, 'Running');
  history.start({ id: 'other', name: 'main', input: null }, NOW_MS);
  engine.kick();
  await until('another one ends meanwhile', () => history.instance('other')?.status === 'Completed');
  history.terminate('endless', 'enough', NOW_MS);
});
