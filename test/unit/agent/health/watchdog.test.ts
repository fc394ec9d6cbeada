import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWatchdog, progressMark, type WatchdogCheck } from '../../../../agent/health/health.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createFakeClock } from '../../../fakes/clock.ts';

interface WorldOptions {
  readonly checks?: readonly WatchdogCheck[];
  readonly watchdogMs?: number | null;
  readonly statusLine?: () => string;
}

function createWorld({
  checks = [],
  watchdogMs = 30_000,
  statusLine = () => 'all is well',
}: WorldOptions = {}) {
  const clock = createFakeClock();
  const lines: string[] = [];
  const told: string[] = [];
  const watchdog = createWatchdog({
    checks,
    manager: {
      watchdogMs,
      watchdog: () => told.push('fed'),
      status: (sentence) => told.push(sentence),
    },
    statusLine,
    clock,
    log: createLog('info', (line) => lines.push(line)),
  });
  const takeTold = () => told.splice(0);
  return { clock, lines, takeTold, watchdog };
}

test('the watchdog is fed at once and at a third of its time, with the line for people', async () => {
  const { watchdog, clock, takeTold, lines } = createWorld();
  await watchdog.start();
  assert.deepEqual(takeTold(), ['all is well', 'fed']);
  await clock.advance(9_999);
  assert.deepEqual(takeTold(), []);
  await clock.advance(20_001);
  assert.deepEqual(takeTold().filter((what) => what === 'fed').length, 3);
  await watchdog.stop();
  await clock.advance(60_000);
  assert.deepEqual(takeTold(), []);
  assert.deepEqual(lines, []);
});

test('one loop that stands still ends the feeding, and log and status say which; when it moves it is fed again', async () => {
  const clock = createFakeClock();
  const mark = progressMark({ name: 'hub', clock, longestMs: 15_000 });
  const world = createWorld({ checks: [{ name: 'ledger', stuck: () => null }, mark] });
  await world.watchdog.start();
  world.takeTold();
  await clock.advance(15_001);
  await world.clock.advance(20_000);
  const why = 'hub has made no progress for 15 s';
  assert.deepEqual(world.takeTold(), [`stands still: ${why}`, `stands still: ${why}`]);
  assert.equal(world.lines.length, 1);
  assert.match(world.lines[0] ?? '', /"watchdog\.stuck","check":"hub".*the watchdog is not fed any more/);
  mark.beat();
  await world.clock.advance(10_000);
  assert.deepEqual(world.takeTold(), ['all is well', 'fed']);
  assert.match(world.lines[1] ?? '', /watchdog\.moves-again/);
  await world.watchdog.stop();
});

test('a check that throws counts as one that stands still', async () => {
  const { watchdog, takeTold } = createWorld({
    checks: [
      {
        name: 'capture',
        stuck: () => {
          throw new Error('no such child');
        },
      },
    ],
  });
  await watchdog.start();
  assert.deepEqual(takeTold(), ['stands still: capture cannot be asked: no such child']);
  await watchdog.stop();
});

test('a line that cannot be made kills nobody, and is complained of once', async () => {
  const { watchdog, clock, takeTold, lines } = createWorld({
    statusLine: () => {
      throw new Error('no cameras yet');
    },
  });
  await watchdog.start();
  await clock.advance(10_000);
  assert.deepEqual(takeTold(), ['fed', 'fed']);
  assert.equal(lines.length, 1);
  await watchdog.stop();
});

test('without a watchdog the loops are looked at nevertheless', async () => {
  let why: string | null = null;
  const { watchdog, clock, lines } = createWorld({
    watchdogMs: null,
    checks: [{ name: 'ledger', stuck: () => why }],
  });
  await watchdog.start();
  why = 'ledger has made no progress for 60 s';
  await clock.advance(10_000);
  assert.match(lines[0] ?? '', /"msg":"ledger has made no progress for 60 s"/);
  await watchdog.stop();
});

test('an event loop that stood still is told about when it moves again', async () => {
  const clock = createFakeClock();
  const sleep = clock.sleep.bind(clock);
  // Everything takes 3 s longer than it was asked to.
  const late = { ...clock, sleep: (ms: number, signal?: AbortSignal) => sleep(ms + 3_000, signal) };
  const lines: string[] = [];
  const watchdog = createWatchdog({
    checks: [],
    manager: { watchdogMs: 30_000, watchdog: () => undefined, status: () => undefined },
    statusLine: () => '',
    clock: late,
    log: createLog('info', (line) => lines.push(line)),
  });
  await watchdog.start();
  await clock.advance(13_000);
  assert.match(lines[0] ?? '', /"watchdog\.late","lateMs":3000/);
  await watchdog.stop();
});

test('a clock that is set a year forward or back makes nobody stand still', async () => {
  const clock = createFakeClock();
  const mark = progressMark({ name: 'hub', clock, longestMs: 15_000 });
  clock.setWall(clock.nowMs() + 365 * 86_400_000);
  assert.equal(mark.stuck(), null);
  clock.setWall(0);
  assert.equal(mark.stuck(), null);
});
