import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemHostClock } from '../../../../../cloud-fn/local/functions-host/clock.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);

test('it wakes at its moment and not before, however far away, and once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW_MS });
  let woken = 0;
  systemHostClock.wakeAt(NOW_MS + 3_600_000, () => (woken += 1));
  t.mock.timers.tick(3_599_999);
  assert.equal(woken, 0);
  t.mock.timers.tick(1);
  assert.equal(woken, 1);
  t.mock.timers.tick(3_600_000);
  assert.equal(woken, 1);
});

test('a moment that has passed wakes at once; cancelled it never does', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW_MS });
  let woken = 0;
  systemHostClock.wakeAt(NOW_MS - 1_000, () => (woken += 1));
  t.mock.timers.tick(1);
  assert.equal(woken, 1);
  const cancel = systemHostClock.wakeAt(NOW_MS + 100_000, () => (woken += 1));
  t.mock.timers.tick(70_000);
  cancel();
  t.mock.timers.tick(600_000);
  assert.equal(woken, 1);
});

test('a wall clock that is set forward is noticed within a minute', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW_MS });
  let woken = 0;
  systemHostClock.wakeAt(NOW_MS + 86_400_000, () => (woken += 1));
  t.mock.timers.tick(30_000);
  t.mock.timers.setTime(NOW_MS + 86_400_000);
  assert.equal(systemHostClock.nowMs(), NOW_MS + 86_400_000);
  t.mock.timers.tick(60_000);
  assert.equal(woken, 1);
});
