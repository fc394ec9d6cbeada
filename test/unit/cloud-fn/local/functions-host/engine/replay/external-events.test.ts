import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExternalEvents } from '../../../../../../../cloud-fn/local/functions-host/engine/replay/external-events.ts';

test('an event that came before it was waited for is kept, and is used once', () => {
  const events = createExternalEvents();
  const seen: string[] = [];
  events.raise('a');
  events.waitFor('a', () => seen.push('early'));
  events.waitFor('a', () => seen.push('late'));
  assert.deepEqual(seen, ['early']);
  events.raise('a');
  assert.deepEqual(seen, ['early', 'late']);
});

test('an event of another name ends no wait', () => {
  const events = createExternalEvents();
  events.waitFor('a', () => assert.fail('it was not raised'));
  events.raise('A');
});

test('of two that wait for one name, the last is served first', () => {
  const events = createExternalEvents();
  const seen: number[] = [];
  for (const waiter of [1, 2]) events.waitFor('a', () => seen.push(waiter));
  events.raise('a');
  events.raise('a');
  assert.deepEqual(seen, [2, 1]);
});
