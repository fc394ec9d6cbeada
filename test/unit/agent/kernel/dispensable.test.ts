import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDispensable } from '../../../../agent/kernel/dispensable.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';

/** A page whose port is taken for the first `refusals` starts. */
function world(refusals: number, error = new Failure('rejected', 'page.port', 'port 8080 is in use')) {
  const clock = createFakeClock();
  const book = createLogBook();
  const calls = { starts: 0, stops: 0 };
  const service = createDispensable(
    {
      name: 'page',
      start: async () => {
        calls.starts += 1;
        if (calls.starts <= refusals) throw error;
      },
      stop: async () => {
        calls.stops += 1;
      },
    },
    { clock, log: book.log },
  );
  const logged = (event: string) => book.lines.filter(({ fields }) => fields['event'] === event).length;
  return { clock, calls, service, logged };
}

test('one that starts is started and stopped once', async () => {
  const { service, calls, logged } = world(0);
  await service.start();
  await service.stop();
  assert.deepEqual(calls, { starts: 1, stops: 1 });
  assert.equal(logged('service.not-started'), 0);
});

test('one that cannot start holds nobody up, is complained of once, and starts when it can', async () => {
  const { service, calls, clock, logged } = world(6);
  await service.start();
  await clock.advance(600_000);
  assert.equal(calls.starts, 7);
  assert.deepEqual([logged('service.not-started'), logged('service.started-late')], [1, 1]);
  await service.stop();
  assert.equal(calls.stops, 1);
});

test('tries are never more than a minute and a half apart, and end with the stop', async () => {
  const { service, calls, clock } = world(Infinity);
  await service.start();
  await clock.advance(3_600_000);
  assert.ok(calls.starts >= 40, `${calls.starts}`);
  await service.stop();
  const then = calls.starts;
  await clock.advance(3_600_000);
  assert.deepEqual([calls.starts, calls.stops], [then, 0]);
});

test('a bug is no reason to wait', async () => {
  const { service } = world(1, new Failure('bug', 'page.twice', 'it runs already'));
  await assert.rejects(service.start(), /runs already/);
});
