import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttemptsDeps, createAttempts } from '../../../../../agent/capture/supervision/attempts.ts';
import type { ChildEnd } from '../../../../../agent/capture/supervision/camera-child.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createToldProbe } from './rig/told-probe.ts';

/** Attempts whose children end when the test says so, or when they are told to. */
function attemptsOf(more: Partial<AttemptsDeps> = {}) {
  const clock = createFakeClock();
  const probe = createToldProbe(clock);
  const said: string[] = [];
  let child: PromiseWithResolvers<ChildEnd> | undefined;
  const attempts = createAttempts({
    after: Promise.resolve(),
    clock,
    backoff: { minMs: 1_000, maxMs: 1_000 },
    begins: () => said.push('begins'),
    ask: (signal) => probe.ask('gate', [], signal),
    runChild: () => {
      said.push('runs');
      child = Promise.withResolvers<ChildEnd>();
      return child.promise;
    },
    endChild: () => child?.resolve({ liveMs: 0, why: 'told to' }),
    renewed: () => said.push('renewed'),
    failed: (why) => said.push(`failed: ${why}`),
    stopped: () => said.push('stopped'),
    ...more,
  });
  const ends = (end: ChildEnd) => child?.resolve(end);
  return { clock, probe, said, attempts, ends };
}

test('a child runs only when the camera can be watched, and what failed is told', async () => {
  const it = attemptsOf();
  it.probe.unwatchable = { detail: 'no route', absence: 'unreachable', waitMs: 5_000 };
  it.attempts.start();
  await it.clock.advance(4_999);
  assert.deepEqual(it.said, ['begins', 'failed: no route']);
  it.probe.unwatchable = undefined;
  await it.clock.advance(1);
  it.ends({ liveMs: 0, why: '401', waitMs: 60_000 });
  await it.clock.advance(59_999);
  assert.deepEqual(it.said.slice(2), ['begins', 'runs', 'failed: 401']);
  await it.clock.advance(1);
  assert.deepEqual(it.said.slice(5), ['begins', 'runs']);
  await it.attempts.stop();
});

test('a camera is asked at once, and its child runs when its program is compiled, unless it was told to stop', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const [it, stopped] = [attemptsOf({ ready: promise }), attemptsOf({ ready: promise })];
  for (const { attempts, clock } of [it, stopped]) {
    attempts.start();
    await clock.advance(1_000);
  }
  assert.deepEqual([it.probe.asked.length, it.said], [1, ['begins']]);
  const end = stopped.attempts.stop();
  resolve();
  await it.clock.advance(0);
  await end;
  assert.deepEqual(
    [it.said, stopped.said],
    [
      ['begins', 'runs'],
      ['begins', 'stopped'],
    ],
  );
  await it.attempts.stop();
});

test('another connection is no failure: it is connected to at once', async () => {
  const it = attemptsOf();
  it.attempts.start();
  await it.clock.advance(0);
  it.attempts.renew();
  await it.clock.advance(0);
  assert.deepEqual(it.said, ['begins', 'runs', 'renewed', 'begins', 'runs']);
  await it.attempts.stop();
});

test('another connection ends a wait, however long the probe asked for', async () => {
  const it = attemptsOf();
  it.probe.unwatchable = { detail: '401', absence: 'refused', waitMs: 3_600_000 };
  it.attempts.start();
  await it.clock.advance(0);
  it.attempts.renew();
  await it.clock.advance(0);
  assert.equal(it.probe.asked.length, 2);
  await it.attempts.stop();
});

test('a stop waits for the child, and is told once, whatever was under way', async () => {
  const { promise: after, resolve } = Promise.withResolvers<void>();
  const before = attemptsOf({ after });
  before.attempts.start();
  const stopping = before.attempts.stop();
  resolve();
  await stopping;
  assert.deepEqual(before.said, ['stopped']);

  const running = attemptsOf({ endChild: () => undefined });
  running.attempts.start();
  await running.clock.advance(0);
  const stopped = running.attempts.stop();
  await running.clock.advance(60_000);
  assert.deepEqual(running.said, ['begins', 'runs']);
  running.ends({ liveMs: 0, why: 'gone' });
  await stopped;
  assert.deepEqual(running.said, ['begins', 'runs', 'stopped']);
});
