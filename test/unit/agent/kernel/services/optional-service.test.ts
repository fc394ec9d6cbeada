import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditions } from '../../../../../agent/kernel/conditions.ts';
import { createOptionalService } from '../../../../../agent/kernel/services/optional-service.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

/** A page whose port is taken for the first `refusals` starts. */
function world(refusals: number, error: Error = new Failure('rejected', 'page.port', 'port 8080 is in use')) {
  const clock = createFakeClock();
  const book = createLogBook();
  const conditions = createConditions({ clock, log: book.log });
  const calls = { starts: 0, stops: 0 };
  const service = createOptionalService(
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
    { clock, conditions, log: book.log },
  );
  const logged = (event: string) => book.lines.filter(({ fields }) => fields['event'] === event).length;
  return { clock, calls, service, conditions, logged };
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

for (const error of [
  new Failure('bug', 'page.twice', 'it runs already'),
  new TypeError('x is not a function'),
  Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO' }),
])
  test(`a start that throws a ${error.name} "${error.message}" is told and tried again, and keeps nobody else from starting`, async () => {
    const { service, clock, calls, conditions } = world(3, error);
    await service.start();
    assert.deepEqual(
      conditions.list().map(({ code, subject }) => [code, subject]),
      [['room-failed', 'page']],
    );
    assert.match(conditions.list()[0]?.detail ?? '', new RegExp(error.message));
    await clock.advance(600_000);
    assert.equal(calls.starts, 4);
    assert.deepEqual(conditions.list(), []);
    await service.stop();
  });

test('a start that hangs holds the others up for its deadline only, is told, and counts when it comes', async () => {
  const clock = createFakeClock();
  const { log } = createLogBook();
  const conditions = createConditions({ clock, log });
  const slow = Promise.withResolvers<void>();
  const calls: string[] = [];
  const service = createOptionalService(
    { name: 'disk', start: () => slow.promise, stop: async () => void calls.push('stopped') },
    { clock, conditions, log, startMs: 5_000 },
  );
  const starting = service.start().then(() => calls.push('went on'));
  await clock.advance(4_999);
  assert.deepEqual(calls, []);
  await clock.advance(1);
  await starting;
  assert.deepEqual(calls, ['went on']);
  assert.deepEqual(
    conditions.list().map(({ subject }) => subject),
    ['disk'],
  );
  slow.resolve();
  await clock.advance(0);
  assert.deepEqual(conditions.list(), []);
  await service.stop();
  assert.deepEqual(calls, ['went on', 'stopped']);
});
