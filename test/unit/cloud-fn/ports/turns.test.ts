import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../../../cloud-fn/ports/clock.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createTurns } from '../../../../cloud-fn/ports/turns.ts';

const LONG_MS = 600_000;
const turns = (atOnce: number, waitMs: number, clock: Pick<Clock, 'sleep'>) =>
  createTurns({ atOnce, waitMs, what: 'it', code: 'no-turn', clock });

test('so many run at once, the others in the order in which they came, whatever becomes of those before', async () => {
  const inTurn = turns(2, LONG_MS, systemClock);
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

test('who waited too long, by the clock that is given, is refused and takes nobody the place', async () => {
  const time = createFakeClock();
  const inTurn = turns(1, LONG_MS, time);
  const first = Promise.withResolvers<void>();
  const held = inTurn(() => first.promise);
  const refused = assert.rejects(
    inTurn(() => Promise.reject(new Error('it must not run'))),
    { code: 'no-turn', kind: 'transient' },
  );
  await time.advance(LONG_MS);
  await refused;
  first.resolve();
  await held;
  assert.equal(await inTurn(async () => 'ran'), 'ran');
  assert.equal(time.sleepers(), 0, 'who had a turn waits for nothing any more');
});
