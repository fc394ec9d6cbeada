import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../../../cloud-fn/ports/turns.ts';

const LONG_MS = 600_000;

test('so many run at once, the others in the order in which they came, whatever becomes of those before', async () => {
  const inTurn = createTurns(2, LONG_MS, 'waiting', 'no-turn');
  const begun: number[] = [];
  const ends = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, number) =>
    inTurn(() => {
      begun.push(number);
      return promise;
    }).catch((error: Error) => error.message),
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.reject(new Error('broken'));
  await all[1];
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  assert.deepEqual(await Promise.all(all), [undefined, 'broken', undefined, undefined, undefined]);
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});

test('who waited too long is refused and takes nobody the place', async () => {
  const inTurn = createTurns(1, 20, 'waiting', 'no-turn');
  const first = Promise.withResolvers<void>();
  const held = inTurn(() => first.promise);
  await assert.rejects(
    inTurn(() => Promise.reject(new Error('it must not run'))),
    { code: 'no-turn', kind: 'transient' },
  );
  first.resolve();
  await held;
  assert.equal(await inTurn(async () => 'ran'), 'ran');
});
