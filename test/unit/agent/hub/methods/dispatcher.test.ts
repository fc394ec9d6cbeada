import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectMethod } from '../../../../../agent/hub/hub.ts';
import { createMethodDispatcher, type MethodAnswer } from '../../../../../agent/hub/methods/dispatcher.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

function bench(methods: Record<string, DirectMethod>) {
  const clock = createFakeClock();
  const book = createLogBook();
  const over = new AbortController();
  const dispatch = createMethodDispatcher({ methods, answerMs: 25_000, clock, log: book.log });
  return {
    clock,
    book,
    over,
    call: (name: string, payload = '') => dispatch({ name, payload: Buffer.from(payload) }, over.signal),
  };
}

const codeOf = ({ status, payload }: MethodAnswer) => [status, (payload as { code?: unknown }).code];

test('a method gets its payload and its caller gets what it says', async () => {
  const got: unknown[] = [];
  const { call } = bench({
    echo: async (payload) => {
      got.push(payload);
      return { status: 202, payload: { payload, when: new Date(0) } };
    },
  });
  for (const payload of ['', 'null', '{"a":1}', '"text"', '7']) await call('echo', payload);
  assert.deepEqual(got, [undefined, null, { a: 1 }, 'text', 7]);
  assert.deepEqual(await call('echo', '1'), {
    status: 202,
    payload: { payload: 1, when: '1970-01-01T00:00:00.000Z' },
  });
});

test('a method that does not exist is answered 404 with those that do, whatever its name', async () => {
  const { call } = bench({ snapshot: async () => ({ status: 200, payload: null }) });
  for (const name of ['reboot', '', 'toString', '__proto__', 'SNAPSHOT'])
    assert.deepEqual(codeOf(await call(name)), [404, 'method.unknown'], name);
  assert.match(JSON.stringify(await call('reboot')), /there are: snapshot/);
});

test('a payload that is not JSON is answered 400 and reaches nobody', async () => {
  let calls = 0;
  const { call } = bench({
    count: async () => {
      calls += 1;
      return { status: 200, payload: null };
    },
  });
  assert.deepEqual(codeOf(await call('count', '{"a":')), [400, 'method.payload']);
  assert.equal(calls, 0);
});

test('a method that throws, at once or later, is answered 500 and logged, and its words stay here', async () => {
  const { call, book } = bench({
    later: async () => {
      throw new Error('rtsp://admin:geheim@camera');
    },
    atOnce: () => {
      throw new Error('rtsp://admin:geheim@camera');
    },
  });
  for (const name of ['later', 'atOnce']) {
    const answer = await call(name);
    assert.deepEqual(codeOf(answer), [500, 'method.fault']);
    assert.doesNotMatch(JSON.stringify(answer), /geheim/);
  }
  assert.deepEqual(book.events('error'), ['method.failed', 'method.failed']);
});

test('an answer that cannot be sent is a fault: no status, nothing JSON can say', async () => {
  const circle: { self?: object } = {};
  circle.self = circle;
  const { call } = bench({
    circle: async () => ({ status: 200, payload: circle }),
    nothing: async () => undefined as never,
    noStatus: async () => ({ status: 'fine' as never, payload: null }),
    zero: async () => ({ status: 0, payload: null }),
    empty: async () => ({ status: 200, payload: undefined }),
  });
  for (const name of ['circle', 'nothing', 'noStatus', 'zero'])
    assert.deepEqual(codeOf(await call(name)), [500, 'method.fault'], name);
  assert.deepEqual(await call('empty'), { status: 200, payload: null });
});

test('an answer beyond 128 KB becomes a problem that says how large it was', async () => {
  const { call } = bench({
    fits: async () => ({ status: 200, payload: 'x'.repeat(128 * 1024 - 2) }),
    tooLarge: async () => ({ status: 200, payload: 'x'.repeat(128 * 1024 - 1) }),
    wide: async () => ({ status: 200, payload: 'ü'.repeat(100 * 1024) }),
  });
  assert.equal((await call('fits')).status, 200);
  assert.match(JSON.stringify(await call('tooLarge')), /131073 bytes; IoT Hub carries at most 131072/);
  assert.deepEqual(codeOf(await call('wide')), [500, 'method.answer-too-large']);
});

test('a method that hangs is answered in time, told to stop, and gives its place back', async () => {
  const aborted: boolean[] = [];
  const { call, clock } = bench({
    hang: (_payload, signal) => new Promise(() => signal.addEventListener('abort', () => aborted.push(true))),
  });
  for (let round = 0; round < 3; round += 1) {
    const calls = Array.from({ length: 9 }, () => call('hang'));
    assert.deepEqual(codeOf(await (calls[8] as Promise<MethodAnswer>)), [409, 'method.busy']);
    await clock.advance(25_000);
    for (const one of calls.slice(0, 8)) assert.deepEqual(codeOf(await one), [503, 'method.deadline']);
  }
  assert.equal(aborted.length, 24);
  assert.equal(clock.sleepers(), 0);
});

test('when the connection ends the method is told to stop, and nothing is left waiting', async () => {
  let isTold = false;
  const { call, clock, over } = bench({
    hang: (_payload, signal) =>
      new Promise(() =>
        signal.addEventListener('abort', () => {
          isTold = true;
        }),
      ),
  });
  const answer = call('hang');
  over.abort();
  await answer;
  assert.equal(isTold, true);
  assert.equal(clock.sleepers(), 0);
});
