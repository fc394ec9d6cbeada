import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../../../agent/kernel/waiting/backoff.ts';
import { classify } from '../../../../agent/kernel/classify.ts';
import { withDeadline } from '../../../../agent/kernel/waiting/deadline.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { ifAnswers } from '../../../../agent/kernel/if-answers.ts';
import { isBug } from '../../../../agent/kernel/is-bug.ts';
import { createLifecycle, type Service } from '../../../../agent/kernel/services/lifecycle.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createLogBook } from '../../../fakes/log-book.ts';

const silent = createLog('silent');

test('the log hides signatures, keys, logins and passwords', () => {
  const lines: string[] = [];
  const log = createLog('info', (line) => lines.push(line));
  log.info(
    {
      event: 'x',
      url: 'https://a.blob/x?sv=1&sig=SECRET1%3D&se=2',
      hub: 'HostName=h;DeviceId=d;SharedAccessKey=SECRET2=',
      camera: 'rtsp://viewer:SECRET3@10.0.0.1/main',
      nested: { password: 'SECRET4', sasToken: '?sv=1&sig=SECRET5' },
      storage: 'AccountName=a;AccountKey=SECRET6==;X=1',
    },
    'with SharedAccessSignature sr=h&sig=SECRET7&se=1',
  );
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0] ?? '', /SECRET\d/);
  assert.match(lines[0] ?? '', /10\.0\.0\.1\/main/);
});

test('an error becomes what to do about it', () => {
  const kind = (error: unknown) => classify(error, 'test').kind;
  assert.equal(kind(Object.assign(new Error('no space'), { code: 'ENOSPC' })), 'exhausted');
  assert.equal(kind(Object.assign(new Error('reset'), { code: 'ECONNRESET' })), 'transient');
  assert.equal(kind(Object.assign(new Error('throttled'), { statusCode: 429 })), 'transient');
  assert.equal(kind(Object.assign(new Error('bad'), { response: { statusCode: 400 } })), 'rejected');
  assert.equal(kind(Object.assign(new Error('malformed'), { code: 'SQLITE_CORRUPT' })), 'corrupt');
  assert.equal(kind(Object.assign(new Error('constraint'), { code: 'SQLITE_CONSTRAINT_UNIQUE' })), 'bug');
  const failure = new Failure('rejected', 'a.b', 'no');
  assert.equal(classify(failure, 'test'), failure);
});

test('of all answers only those that speak of the request itself condemn it', () => {
  const kinds = new Map<string, number[]>();
  for (let status = 300; status < 600; status += 1) {
    const { kind, code } = classify(Object.assign(new Error('no'), { statusCode: status }), 'test');
    assert.equal(code, `test.http-${status}`);
    kinds.set(kind, [...(kinds.get(kind) ?? []), status]);
  }
  assert.deepEqual(kinds.get('rejected'), [400, 404, 409, 412, 413, 422]);
  assert.deepEqual(kinds.get('exhausted'), [507]);
  assert.equal(kinds.get('transient')?.length, 293);
});

test('who may be silent is null when it cannot answer now; a bug of it is thrown on', () => {
  const asking = (error: unknown) => () =>
    ifAnswers(() => {
      throw error;
    });
  assert.equal(
    ifAnswers(() => 7),
    7,
  );
  for (const kind of ['transient', 'rejected', 'exhausted', 'corrupt'] as const)
    assert.equal(asking(new Failure(kind, 'a.b', 'not now'))(), null);
  for (const error of [new Failure('bug', 'a.b', 'broken'), new TypeError('x'), { kind: 'transient' }])
    assert.throws(asking(error), (thrown) => thrown === error);
});

test('backoff doubles from its minimum to its maximum, with jitter', () => {
  const policy = { minMs: 500, maxMs: 60_000 };
  const middle = (attempt: number) => backoffMs(policy, attempt, () => 0.5);
  assert.deepEqual([0, 1, 2, 20, 2_000].map(middle), [500, 1_000, 2_000, 60_000, 60_000]);
  assert.equal(
    backoffMs(policy, 0, () => 0),
    250,
  );
});

test('a promise that does not come in time is a transient failure with its own code', async () => {
  await assert.rejects(
    withDeadline(new Promise(() => {}), 5, 'twin read', 'hub.deadline'),
    (error: Failure) =>
      error.kind === 'transient' && error.code === 'hub.deadline' && /twin read/.test(error.message),
  );
  assert.equal(await withDeadline(Promise.resolve(1), 60_000, 'x', 'y'), 1);
});

test('services start in order and stop in reverse; a failed start stops those already started', async () => {
  const calls: string[] = [];
  const service = (name: string, fails = false): Service => ({
    name,
    start: async () => {
      if (fails) throw new Error(`${name} cannot`);
      calls.push(`+${name}`);
    },
    stop: async () => void calls.push(`-${name}`),
  });
  const good = createLifecycle([service('a'), service('b')], { log: silent, stopDeadlineMs: 1_000 });
  await good.start();
  await good.stop();
  await good.stop();
  assert.deepEqual(calls.splice(0), ['+a', '+b', '-b', '-a']);
  const bad = createLifecycle([service('a'), service('b', true)], { log: silent, stopDeadlineMs: 1_000 });
  await assert.rejects(bad.start(), /b cannot/);
  assert.deepEqual(calls, ['+a', '-a']);
});

test('a service that never stops, or fails to, is told and does not keep the others from stopping', async () => {
  const calls: string[] = [];
  const book = createLogBook();
  const lifecycle = createLifecycle(
    [
      { name: 'a', start: async () => {}, stop: async () => void calls.push('-a') },
      { name: 'hung', start: async () => {}, stop: () => new Promise(() => {}) },
      { name: 'broken', start: async () => {}, stop: () => Promise.reject(new Error('stuck')) },
    ],
    { log: book.log, stopDeadlineMs: 10 },
  );
  await lifecycle.start();
  // The deadline's timer does not hold the process open by itself.
  const hold = setTimeout(() => {}, 60_000);
  await lifecycle.stop();
  clearTimeout(hold);
  assert.deepEqual(calls, ['-a']);
  assert.deepEqual(
    book.lines.map(({ fields }) => [fields['event'], fields['service']]),
    [
      ['service.stop-failed', 'broken'],
      ['service.stop-late', 'hung'],
    ],
  );
});

test('an error that nobody took ends the agent only when it is a mistake of the program', () => {
  const errors: readonly (readonly [unknown, boolean])[] = [
    [new Failure('bug', 'x.y', 'broken'), true],
    [new Failure('transient', 'x.y', 'later'), false],
    [new Failure('corrupt', 'x.y', 'bad bytes'), false],
    [new TypeError('x is not a function'), true],
    [new RangeError('toFixed() digits'), true],
    ['a string', true],
    [undefined, true],
    [Object.assign(new Error('EIO: i/o error'), { code: 'EIO', errno: -5 }), false],
    [Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32 }), false],
    [Object.assign(new Error('ENAMETOOLONG'), { code: 'ENAMETOOLONG', errno: -36 }), false],
    [Object.assign(new Error('malformed'), { code: 'SQLITE_CORRUPT' }), false],
    [Object.assign(new Error('constraint'), { code: 'SQLITE_CONSTRAINT' }), true],
    [Object.assign(new Error('Forbidden'), { statusCode: 403 }), false],
    [new DOMException('The operation was aborted', 'AbortError'), false],
  ];
  for (const [error, expected] of errors) assert.equal(isBug(error), expected, String(error));
});
