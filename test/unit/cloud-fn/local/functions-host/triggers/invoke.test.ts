import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CoreInvocation,
  Hook,
  LoadedApp,
  RpcData,
} from '../../../../../../cloud-fn/local/functions-host/core-api.ts';
import { createInvoker, jsonOf } from '../../../../../../cloud-fn/local/functions-host/triggers/invoke.ts';
import { hosted, logOf, until } from '../host-bench.ts';

interface HookContext {
  readonly hookData: Record<string, unknown>;
  readonly appHookData: Record<string, unknown>;
  inputs?: unknown[];
  functionCallback?: (...inputs: unknown[]) => unknown;
  result?: unknown;
  error?: unknown;
  message?: string;
}

/** An invoker of one function. `hooks` are the app's; what the library is handed stands in `given`. */
function bench({
  callback = (() => 'result') as (...inputs: unknown[]) => unknown,
  hooks = {} as Record<string, (context: HookContext) => unknown>,
  bindings = {},
  timeoutMs = 60_000,
}) {
  const book = logOf();
  const given: CoreInvocation[] = [];
  const deeds: string[] = [];
  const plain = hosted('Echo', 'queueTrigger');
  const app: LoadedApp = {
    file: 'app.ts',
    functions: new Map([['Echo', { metadata: plain.metadata, callback }]]),
    hooks: new Map(Object.entries(hooks).map(([name, hook]) => [name, [hook as Hook]])),
    model: {
      name: 'model',
      version: '1',
      getCapabilities: async (capabilities) => capabilities,
      getInvocationModel: (invocation) => {
        given.push(invocation);
        return {
          getArguments: async () => ({ context: { of: 'function' }, inputs: ['input'] }),
          invokeFunction: async (_, inputs, called) => {
            deeds.push(`call in ${invocation.state}`);
            invocation.log('information', 'user', 'hello');
            return called(...inputs);
          },
          getResponse: async (_, result) => {
            deeds.push(`response in ${invocation.state}`);
            return { returnValue: result === undefined ? null : { json: JSON.stringify(result) } };
          },
        };
      },
    },
  };
  const invoker = createInvoker({ app, durableClient: () => ({ client: 1 }), log: book.log, timeoutMs });
  const metadata = { ...plain.metadata, bindings: { ...plain.metadata.bindings, ...bindings } };
  const target = { ...plain, metadata };
  const call = (data: RpcData = { string: 'x' }, more = {}) => invoker.invoke(target, { data, ...more });
  return { ...invoker, call, given, deeds, book };
}

test('a function gets its trigger and its metadata, gives its answer, and one line tells that it ran', async () => {
  const { call, given, deeds, book } = bench({});
  assert.deepEqual(await call({ string: 'x' }, { metadata: { Id: { string: '7' } } }), { json: '"result"' });
  assert.deepEqual(given[0]?.request, {
    inputData: [{ name: 'trigger', data: { string: 'x' } }],
    triggerMetadata: { Id: { string: '7' } },
  });
  assert.equal(given[0]?.metadata.name, 'Echo');
  assert.deepEqual(deeds, ['call in invocation', 'response in postInvocationHooks']);
  const [said, invoked] = book.lines;
  const { invocationId } = given[0] ?? {};
  assert.deepEqual(said, {
    event: 'function.log',
    function: 'Echo',
    invocationId,
    level: 'information',
    message: 'hello',
  });
  const { durationMs, ...line } = invoked ?? {};
  assert.deepEqual(line, {
    event: 'function.invoked',
    function: 'Echo',
    kind: 'queueTrigger',
    invocationId,
    ok: true,
  });
  assert.ok(Number.isInteger(durationMs) && Number(durationMs) >= 0 && Number(durationMs) < 60_000);
});

test('every client of orchestrations is handed how to reach them, other bindings nothing', async () => {
  const { call, given } = bench({
    bindings: { starter: { type: 'durableClient' }, answer: { type: 'http' } },
  });
  await call();
  assert.deepEqual(given[0]?.request.inputData.slice(1), [
    { name: 'starter', data: { json: '{"client":1}' } },
  ]);
  assert.deepEqual(given[0]?.request.triggerMetadata, {});
});

test('nothing returned is nothing', async () => {
  assert.equal(await bench({ callback: () => undefined }).call(), undefined);
});

test('an error of a function is told to hooks and to who called, and its first line is logged', async () => {
  const error = new Error('broken\nmore');
  const seen: unknown[] = [];
  const { call, book } = bench({
    callback: () => Promise.reject(error),
    hooks: { postInvocation: (context) => void seen.push(context.error) },
  });
  await assert.rejects(call(), error);
  assert.deepEqual(seen, [error]);
  const { ok, message } = book.lines.at(-1) ?? {};
  assert.deepEqual([ok, message], [false, 'broken']);
});

test('a hook behind a function may forgive its error, or change its answer', async () => {
  const forgiven = bench({
    callback: () => Promise.reject(new Error('broken')),
    hooks: {
      postInvocation: (context) => {
        context.error = null;
        context.result = 'instead';
      },
    },
  });
  assert.deepEqual(await forgiven.call(), { json: '"instead"' });
});

test('a hook before a function is waited for, may change what it gets, and shares its notes with the one behind', async () => {
  const notes: unknown[] = [];
  const { call, appStarted, appTerminating } = bench({
    callback: (...inputs) => `got ${String(inputs[0])}`,
    hooks: {
      appStart: (context) => {
        context.appHookData['started'] = true;
      },
      preInvocation: async (context) => {
        await new Promise((resolve) => setImmediate(resolve));
        context.hookData['note'] = 1;
        context.inputs = ['other'];
        const inner = context.functionCallback;
        context.functionCallback = (...inputs) => `${String(inner?.(...inputs))}, wrapped`;
      },
      postInvocation: async (context) => {
        await new Promise((resolve) => setImmediate(resolve));
        notes.push(context.hookData, { ...context.appHookData }, context.inputs, context.result);
      },
      appTerminate: async (context) => {
        await new Promise((resolve) => setImmediate(resolve));
        notes.push({ ...context.appHookData });
      },
    },
  });
  await appStarted();
  assert.deepEqual(await call(), { json: '"got other, wrapped"' });
  assert.deepEqual(notes, [{ note: 1 }, { started: true }, ['other'], 'got other, wrapped']);
  await appTerminating();
  assert.deepEqual(notes.at(-1), { started: true });
});

test('a hook may change what is logged', async () => {
  const { call, book } = bench({
    hooks: {
      log: (context) => {
        context.message = `${context.message} (changed)`;
      },
    },
  });
  await call();
  assert.equal(book.lines[0]?.['message'], 'hello (changed)');
});

test('a function that takes longer than its time is reported as failed', async () => {
  const { call, book } = bench({ callback: () => new Promise(() => undefined), timeoutMs: 20 });
  await assert.rejects(call(), /^Error: Timeout value of 0\.02 s exceeded by function: Echo$/);
  assert.equal(book.lines.at(-1)?.['ok'], false);
});

test('a function that has ended leaves no timer behind', async () => {
  const { call } = bench({});
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await call();
  await until('its timer is gone', () => timers() <= before);
});

test('an answer is JSON text whatever it is; nothing is null', () => {
  assert.equal(jsonOf({ json: '{"a":1}' }), '{"a":1}');
  assert.equal(jsonOf({ string: 'a"b' }), '"a\\"b"');
  assert.equal(jsonOf({ bytes: Buffer.from('hi') }), '"aGk="');
  assert.equal(jsonOf({ int: 0 }), '0');
  assert.equal(jsonOf({ double: 1.5 }), '1.5');
  assert.equal(jsonOf({}), 'null');
  assert.equal(jsonOf(undefined), 'null');
});
