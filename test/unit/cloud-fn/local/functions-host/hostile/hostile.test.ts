import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AppGone } from '../../../../../../cloud-fn/local/functions-host/app-gone.ts';
import { openDatabase } from '../../../../../../cloud-fn/local/functions-host/engine/database.ts';
import { createEngine } from '../../../../../../cloud-fn/local/functions-host/engine/engine.ts';
import type { OrchestrationTrigger } from '../../../../../../cloud-fn/local/functions-host/engine/episode.ts';
import { createHistory } from '../../../../../../cloud-fn/local/functions-host/engine/history.ts';
import {
  ACTION,
  EVENT,
  type HistoryEvent,
} from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { createHiddenWork } from '../../../../../../cloud-fn/local/functions-host/hostile/hidden-work.ts';
import { createHostileInvoke } from '../../../../../../cloud-fn/local/functions-host/hostile/hostile-invoke.ts';
import {
  createHostility,
  KILLS_MAX,
  type Hostility,
} from '../../../../../../cloud-fn/local/functions-host/hostile/hostility.ts';
import { createStaleStatuses } from '../../../../../../cloud-fn/local/functions-host/hostile/stale-statuses.ts';
import { createVirtualHostClock } from '../../../../../fakes/cloud/virtual-host-clock.ts';
import { byName, folderOf, hosted, logOf } from '../host-bench.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const MINUTE_MS = 60_000;
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

/** Does nothing. */
const KIND: Hostility = {
  firesMs: (_, dueMs) => dueMs,
  dropsEvent: () => false,
  lagMs: () => 0,
  deliversTwice: () => false,
  hiddenMs: () => 0,
  killsApp: () => undefined,
};

/** An engine whose only orchestration calls one activity, and whose app is in the test's hand. */
function bench(t: TestContext, hostility: Hostility | undefined, app: (what: string) => unknown) {
  const db = openDatabase(folderOf(t));
  t.after(() => db.close());
  const time = createVirtualHostClock(NOW_MS);
  const nowMs = () => time.clock.nowMs();
  const history = createHistory({ db, hostility });
  const { written, read } = createStaleStatuses(history, hostility ?? KIND, nowMs);
  const wakes = new Set<number>();
  const engine = createEngine({
    history: written,
    orchestrators: byName(hosted('main', 'orchestrationTrigger')),
    activities: byName(hosted('Echo', 'activityTrigger')),
    invoke: async (target, { data }) => {
      app(target.name);
      if (target.kind === 'activityTrigger') return { json: '1' };
      const { history: events } = JSON.parse(data.string ?? '') as OrchestrationTrigger;
      const has = (type: HistoryEvent['EventType']) => events.some((event) => event.EventType === type);
      const isDone = has(EVENT.taskCompleted) && has(EVENT.timerFired);
      const timer = { actionType: ACTION.createTimer, fireAt: new Date(NOW_MS + MINUTE_MS).toISOString() };
      const actions = [[{ actionType: ACTION.callActivity, functionName: 'Echo' }, timer]];
      return { json: JSON.stringify({ isDone, actions, output: 'out' }) };
    },
    clock: {
      nowMs,
      wakeAt: (atMs, wake) => {
        wakes.add(atMs);
        const cancel = time.clock.wakeAt(atMs, wake);
        return () => {
          wakes.delete(atMs);
          cancel();
        };
      },
    },
    concurrency: 2,
    hidden: hostility && createHiddenWork(hostility, nowMs),
    log: logOf().log,
  });
  t.after(() => engine.stop(60_000));
  engine.start();
  const begin = (id: string) => {
    history.start({ id, name: 'main', input: null }, nowMs());
    engine.kick();
    return engine.atRest();
  };
  const pass = (ms: number) => time.advance(ms, engine.atRest);
  const statusOf = (id: string) => history.instance(id)?.status;
  return { history, read, engine, begin, pass, statusOf, wakes };
}
/** Dies in the first call of a function, and not again. */
const diesOnceIn = (name: string) => {
  let isDead = false;
  return (what: string) => {
    if (what !== name || isDead) return;
    isDead = true;
    throw new AppGone('SIGKILL');
  };
};

test('what a seed does to a thing does not depend on what happens beside it', () => {
  for (const seed of SEEDS) {
    const [alone, beside] = [createHostility(seed), createHostility(seed)];
    for (let n = 0; n < 5; n += 1) {
      beside.firesMs('other', 0);
      beside.hiddenMs('other');
      assert.deepEqual(
        [alone.firesMs('this', 0), alone.hiddenMs('this'), alone.dropsEvent('this')],
        [beside.firesMs('this', 0), beside.hiddenMs('this'), beside.dropsEvent('this')],
      );
    }
  }
});

test('timers come at most a second early and minutes late, and every seed leaves the app alone in the end', () => {
  const fired = SEEDS.flatMap((seed) =>
    ['a', 'b', 'c'].map((what) => createHostility(seed).firesMs(what, 0)),
  );
  assert.ok(Math.min(...fired) >= -1_000 && Math.min(...fired) < -500);
  assert.ok(Math.max(...fired) <= 10 * MINUTE_MS && Math.max(...fired) > MINUTE_MS);
  for (const seed of SEEDS) {
    const hostility = createHostility(seed);
    let kills = 0;
    for (let n = 0; n < 600; n += 1) if (hostility.killsApp('a', 1) !== undefined) kills += 1;
    assert.ok(kills <= KILLS_MAX);
  }
});

test('an instance whose app dies in an episode goes on here, and fails for good on a hostile host', async (t) => {
  const ours = bench(t, undefined, diesOnceIn('main'));
  await ours.begin('a');
  await ours.pass(2 * MINUTE_MS);
  assert.equal(ours.statusOf('a'), 'Completed');

  const theirs = bench(t, KIND, diesOnceIn('main'));
  await theirs.begin('a');
  await theirs.pass(2 * MINUTE_MS);
  assert.equal(theirs.statusOf('a'), 'Failed');
});

test('an activity whose app dies is run again here, and fails on a hostile host', async (t) => {
  const theirs = bench(t, KIND, diesOnceIn('Echo'));
  await theirs.begin('a');
  const failed = theirs.history.eventsOf('a').find((event) => event.EventType === EVENT.taskFailed);
  assert.match(String(failed?.Reason), /Echo' failed: node was ended by SIGKILL/);

  const ours = bench(t, undefined, diesOnceIn('Echo'));
  await ours.begin('a');
  await ours.pass(2 * MINUTE_MS);
  assert.equal(ours.statusOf('a'), 'Completed');
});

test('an event for an instance that has not begun is dropped, another is delivered twice', async (t) => {
  const { history, begin } = bench(
    t,
    { ...KIND, dropsEvent: () => true, deliversTwice: () => true },
    () => 1,
  );
  history.start({ id: 'pending', name: 'main', input: null }, NOW_MS);
  assert.equal(history.raiseEvent('pending', 'go', '1', NOW_MS), 'Pending');
  const raised = (id: string) =>
    history.arrivedFor(id).filter(({ event }) => event.EventType === EVENT.eventRaised).length;
  assert.equal(raised('pending'), 0);
  await begin('a');
  history.raiseEvent('a', 'go', '1', NOW_MS);
  assert.equal(raised('a'), 2);
});

test('a status is as old as it is drawn, and a timer fires when it is drawn', async (t) => {
  const hostility = { ...KIND, lagMs: () => 4_000, firesMs: (_: string, dueMs: number) => dueMs - 900 };
  const { read, begin, pass, statusOf } = bench(t, hostility, () => 1);
  await begin('a');
  assert.deepEqual([statusOf('a'), read.instance('a')?.status], ['Running', 'Pending']);
  await pass(4_000);
  assert.equal(read.instance('a')?.status, 'Running');
  await pass(MINUTE_MS - 4_900);
  assert.deepEqual([statusOf('a'), read.instance('a')?.status], ['Completed', 'Running']);
  await pass(4_000);
  assert.equal(read.instance('a')?.status, 'Completed');
});

test('hidden work is done when it shows again, and others do not wait for it', async (t) => {
  const hostility = { ...KIND, hiddenMs: (what: string) => (what === 'Echo a' ? 3 * MINUTE_MS : 0) };
  const { begin, pass, statusOf } = bench(t, hostility, () => 1);
  await begin('a');
  await begin('b');
  await pass(2 * MINUTE_MS);
  assert.deepEqual([statusOf('a'), statusOf('b')], ['Running', 'Completed']);
  await pass(MINUTE_MS);
  assert.equal(statusOf('a'), 'Completed');
});

test('activities and messages come twice, HTTP requests once', async () => {
  const calls: string[] = [];
  const invoke = createHostileInvoke(
    async (target) => {
      calls.push(target.name);
      return {};
    },
    { deliversTwice: () => true, killsApp: () => undefined },
    () => undefined,
  );
  await invoke(hosted('activity', 'activityTrigger'), { data: {} });
  await invoke(hosted('queue', 'queueTrigger'), { data: {} });
  await invoke(hosted('http', 'httpTrigger'), { data: {} });
  assert.deepEqual(calls, ['activity', 'activity', 'queue', 'queue', 'http']);
});

test('an instance that is terminated while its episode cannot be run leaves the host at rest', async (t) => {
  const { history, engine, begin, wakes } = bench(t, undefined, () => {
    throw new AppGone('SIGKILL');
  });
  await begin('a');
  assert.equal(wakes.size, 1, 'it is tried again after a while');
  history.terminate('a', 'enough', NOW_MS);
  engine.kick();
  await engine.atRest();
  assert.equal(wakes.size, 0);
});
