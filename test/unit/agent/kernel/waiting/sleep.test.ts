import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../../agent/kernel/clock.ts';
import { sleepUnlessAborted } from '../../../../../agent/kernel/waiting/sleep.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';

test('a sleep that nobody ends lasts as long as it was asked to, and says so', async () => {
  const clock = createFakeClock();
  let slept: boolean | undefined;
  const sleeping = sleepUnlessAborted(clock, 1_000, new AbortController().signal).then((whole) => {
    slept = whole;
  });
  await clock.advance(999);
  assert.equal(slept, undefined);
  await clock.advance(1);
  await sleeping;
  assert.equal(slept, true);
});

test('an abort ends a sleep early, or keeps it from beginning, without an error and without a timer left', async () => {
  const clock = createFakeClock();
  const stopping = new AbortController();
  const sleeping = sleepUnlessAborted(clock, 1_000, stopping.signal);
  stopping.abort(new Error('stopped'));
  assert.equal(await sleeping, false);
  assert.equal(await sleepUnlessAborted(clock, 1_000, stopping.signal), false);
  assert.equal(clock.sleepers(), 0);
});

test("the system's clock wraps the reason of an abort, and the sleep ends quietly nevertheless", async () => {
  const stopping = new AbortController();
  const sleeping = sleepUnlessAborted(systemClock, 600_000, stopping.signal);
  stopping.abort(new Error('stopped'));
  assert.equal(await sleeping, false);
});

test('a clock that fails by itself is not mistaken for an abort', async () => {
  const broken = { sleep: () => Promise.reject(new Error('no timers left')) };
  await assert.rejects(sleepUnlessAborted(broken, 1, new AbortController().signal), /no timers left/);
});
