import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createTimerTriggers } from '../../../../../../cloud-fn/local/functions-host/triggers/timer-triggers.ts';
import { createVirtualHostClock } from '../../../../../fakes/cloud/virtual-host-clock.ts';
import { hosted, logOf, stateOf } from '../host-bench.ts';

const NOON_MS = Date.UTC(2026, 10, 21, 12);
const MINUTE_MS = 60_000;

interface Timer {
  readonly ScheduleStatus: { readonly Last: string; readonly Next: string; readonly LastUpdated: string };
  readonly IsPastDue: boolean;
}

/** A host with one timer trigger, which can be off for a while. */
function bench(t: TestContext, schedule: string, more: object = {}, settings = {}) {
  const { db } = stateOf(t);
  const time = createVirtualHostClock(NOON_MS);
  const book = logOf();
  const fired: string[] = [];
  const given: Timer[] = [];
  let answer = async (): Promise<void> => undefined;
  const boot = () => {
    const timers = createTimerTriggers({
      db,
      functions: [hosted('Tidy', 'timerTrigger', { schedule, ...more })],
      settings,
      invoke: async (_, { data }) => {
        fired.push(new Date(time.clock.nowMs()).toISOString().slice(11, 19));
        given.push(JSON.parse(data.json ?? '') as Timer);
        await answer();
        return undefined;
      },
      clock: time.clock,
      log: book.log,
    });
    timers.start();
    return timers;
  };
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    ...{ boot, fired, given, book, settle },
    pass: (ms: number) => time.advance(ms, settle),
    answering: (next: () => Promise<void>) => (answer = next),
  };
}

test('it fires at every occurrence and at no other moment, and says when it was and will be', async (t) => {
  const { boot, fired, given, pass } = bench(t, '0 */5 * * * *');
  const timers = boot();
  await pass(5 * MINUTE_MS - 1);
  assert.deepEqual(fired, []);
  await pass(10 * MINUTE_MS);
  assert.deepEqual(fired, ['12:05:00', '12:10:00']);
  assert.deepEqual(given[1], {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: {
      Last: '2026-11-21T12:10:00.000Z',
      Next: '2026-11-21T12:15:00.000Z',
      LastUpdated: '2026-11-21T12:10:00.000Z',
    },
    IsPastDue: false,
  });
  await timers.stop();
});

test('what passed while the host was off is made up for once, and known as late from a minute on', async (t) => {
  const { boot, fired, given, pass, settle } = bench(t, '0 0 * * * *');
  await boot().stop();
  await pass(3 * 60 * MINUTE_MS + MINUTE_MS);
  const timers = boot();
  await pass(0);
  await settle();
  assert.deepEqual([fired, given[0]?.IsPastDue], [['15:01:00'], true]);
  await pass(59 * MINUTE_MS);
  assert.deepEqual([fired.length, given[1]?.IsPastDue], [2, false]);
  await timers.stop();
  await pass(60 * MINUTE_MS + MINUTE_MS);
  await boot().stop();
  assert.equal(fired.length, 2);
});

test('an occurrence missed by a minute and no more is not late', async (t) => {
  const { boot, given, pass } = bench(t, '0 0 * * * *');
  await boot().stop();
  await pass(61 * MINUTE_MS);
  const timers = boot();
  await pass(0);
  assert.deepEqual(
    given.map((one) => one.IsPastDue),
    [false],
  );
  await timers.stop();
});

test('an occurrence that comes while the function still runs is left out', async (t) => {
  const { boot, fired, pass, answering } = bench(t, '* * * * *');
  const held = Promise.withResolvers<void>();
  answering(() => held.promise);
  const timers = boot();
  await pass(4 * MINUTE_MS);
  assert.deepEqual(fired, ['12:01:00']);
  held.resolve();
  await pass(0);
  await pass(0);
  assert.deepEqual(fired, ['12:01:00', '12:04:00'], 'one is made up for');
  await pass(MINUTE_MS);
  assert.deepEqual(fired.length, 3);
  await timers.stop();
});

test('a host killed in the middle of an occurrence leaves it out instead of repeating it for ever', async (t) => {
  const { boot, fired, pass, answering } = bench(t, '0 0 * * * *');
  answering(() => new Promise(() => undefined));
  boot();
  await pass(60 * MINUTE_MS);
  assert.equal(fired.length, 1);
  boot();
  await pass(MINUTE_MS);
  assert.equal(fired.length, 1);
});

test('a function that fails is told, and fires again', async (t) => {
  const { boot, fired, book, pass, answering } = bench(t, '* * * * *');
  answering(() => Promise.reject(new Error('broken')));
  const timers = boot();
  await pass(2 * MINUTE_MS);
  assert.equal(fired.length, 2);
  assert.deepEqual(book.lines[0], { event: 'timer.failed', function: 'Tidy', message: 'broken' });
  await timers.stop();
});

test('a timer that is to run at start runs at start, and at its times', async (t) => {
  const { boot, fired, pass } = bench(t, '0 0 * * * *', { runOnStartup: true });
  await boot().stop();
  const timers = boot();
  await pass(0);
  assert.deepEqual(fired, ['12:00:00']);
  await pass(60 * MINUTE_MS);
  assert.deepEqual(fired, ['12:00:00', '13:00:00']);
  await timers.stop();
});

test('a schedule may stand in the settings; one that never comes is told', async (t) => {
  const { boot, fired, pass } = bench(t, '%TIMES%', {}, { TIMES: '0 30 12 * * *' });
  boot();
  await pass(30 * MINUTE_MS);
  assert.deepEqual(fired, ['12:30:00']);
  const never = bench(t, '0 0 0 31 2 *');
  await never.boot().stop();
  assert.deepEqual(never.book.lines, [{ event: 'timer.never', function: 'Tidy' }]);
  assert.throws(() => bench(t, 'often').boot(), /five or six fields/);
});

test('stopped, it waits for what runs and fires no more', async (t) => {
  const { boot, fired, pass, settle, answering } = bench(t, '* * * * *');
  const held = Promise.withResolvers<void>();
  answering(() => held.promise);
  const timers = boot();
  await pass(MINUTE_MS);
  let isStopped = false;
  const stopping = timers.stop().then(() => (isStopped = true));
  await settle();
  assert.equal(isStopped, false);
  held.resolve();
  await stopping;
  await pass(10 * MINUTE_MS);
  assert.equal(fired.length, 1);
});
