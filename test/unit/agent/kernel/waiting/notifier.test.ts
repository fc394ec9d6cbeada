import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNotifier } from '../../../../../agent/kernel/waiting/notifier.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';

const living = () => new AbortController().signal;

test('a notice ends the wait of everybody, and time ends it without one', async () => {
  const clock = createFakeClock();
  const notifier = createNotifier(clock);
  const ended: string[] = [];
  const wait = (name: string, ms: number) =>
    notifier.wait(notifier.count(), ms, living()).then(() => void ended.push(name));
  const all = [wait('a', 1_000), wait('b', 1_000)];
  await clock.advance(999);
  assert.deepEqual(ended, []);
  notifier.notify();
  await Promise.all(all);
  assert.deepEqual(ended, ['a', 'b']);
  assert.equal(clock.sleepers(), 0);
  const alone = wait('c', 1_000);
  await clock.advance(1_000);
  await alone;
  assert.deepEqual(ended, ['a', 'b', 'c']);
});

test('a notice between two waits is not missed; one before them is over', async () => {
  const clock = createFakeClock();
  const notifier = createNotifier(clock);
  const heard = notifier.count();
  notifier.notify();
  await notifier.wait(heard, 1_000, living());
  const next = notifier.wait(notifier.count(), 1_000, living());
  await clock.advance(999);
  assert.equal(clock.sleepers(), 1);
  notifier.notify();
  await next;
});

test('who stops waits no longer, and never begins to', async () => {
  const clock = createFakeClock();
  const notifier = createNotifier(clock);
  const stop = new AbortController();
  const waiting = notifier.wait(notifier.count(), 1_000, stop.signal);
  stop.abort();
  await waiting;
  await notifier.wait(notifier.count(), 1_000, stop.signal);
  assert.equal(clock.sleepers(), 0);
});
