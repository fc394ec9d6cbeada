/** Where functions are called from outside: their routes, and the Event Grid webhook. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostedFunction } from '../../../../../cloud-fn/local/functions-host/triggers/bindings.ts';
import type { RpcData } from '../../../../../cloud-fn/local/functions-host/core-api.ts';
import { createEventGridWebhook } from '../../../../../cloud-fn/local/functions-host/triggers/event-grid-webhook.ts';
import { createHttpFunctions } from '../../../../../cloud-fn/local/functions-host/http/http-functions.ts';
import { byName, hosted, KEYS } from './host-bench.ts';

const ORIGIN = 'http://127.0.0.1:7071';
type Answer = (name: string, data: RpcData) => Promise<RpcData | undefined>;

function functionsBench(functions: readonly HostedFunction[], answer: Answer, routePrefix = 'api') {
  const handler = createHttpFunctions({
    functions,
    keys: KEYS,
    invoke: (target, { data }) => answer(target.name, data),
    routePrefix,
  });
  return (method: string, path: string, more: { headers?: object; body?: string } = {}) =>
    handler({
      method,
      url: new URL(path, ORIGIN),
      headers: { ...more.headers },
      body: Buffer.from(more.body ?? ''),
    });
}
const http = (name: string, more: object = {}) => hosted(name, 'httpTrigger', more);
const named: Answer = async (name) => ({ http: { statusCode: '200', body: { bytes: Buffer.from(name) } } });
const bodyOf = (answer: { body?: string | Uint8Array } | undefined) =>
  answer?.body === undefined ? undefined : Buffer.from(answer.body).toString('utf8');

test('a function is found by its name or its route, below the prefix', async () => {
  const ask = functionsBench([http('Plain'), http('Routed', { route: 'videos/{id}' })], named);
  assert.equal(bodyOf(await ask('GET', '/api/Plain')), 'Plain');
  assert.equal(bodyOf(await ask('POST', '/api/videos/7')), 'Routed');
  assert.equal(await ask('GET', '/Plain'), undefined);
  assert.equal(await ask('GET', '/api/Routed'), undefined);
  const bare = functionsBench([http('Plain')], named, '');
  assert.equal(bodyOf(await bare('GET', '/Plain')), 'Plain');
});

test('of two routes that fit the literal one answers, whatever the order of registration', async () => {
  const any = http('Any', { route: '{what}' });
  const one = http('One', { route: 'one' });
  for (const functions of [
    [any, one],
    [one, any],
  ]) {
    const ask = functionsBench(functions, named);
    assert.equal(bodyOf(await ask('GET', '/api/one')), 'One');
    assert.equal(bodyOf(await ask('GET', '/api/two')), 'Any');
  }
});

test('a method nobody takes is not found, as on Azure; each method finds its function', async () => {
  const ask = functionsBench(
    [http('Read', { route: 'x', methods: ['get'] }), http('Write', { route: 'x', methods: ['POST', 'put'] })],
    named,
  );
  assert.equal(bodyOf(await ask('PUT', '/api/x')), 'Write');
  assert.equal(bodyOf(await ask('GET', '/api/x')), 'Read');
  assert.deepEqual(await ask('DELETE', '/api/x'), { status: 404 });
  const plain = functionsBench([http('Plain')], named);
  assert.deepEqual(await plain('DELETE', '/api/Plain'), { status: 404 });
});

test('each level has its keys, in the address or in a header', async () => {
  const ask = functionsBench(
    ['anonymous', 'function', 'admin'].map((authLevel) => http(authLevel, { authLevel })),
    named,
  );
  const status = async (path: string, headers = {}) =>
    (await ask('GET', `/api/${path}`, { headers }))?.status;
  assert.equal(await status('anonymous'), 200);
  assert.deepEqual([await status('function'), await status('admin')], [401, 401]);
  assert.equal(await status(`function?code=${KEYS.function}`), 200);
  assert.equal(await status('function', { 'x-functions-key': KEYS.function }), 200);
  assert.equal(await status(`function?code=${KEYS.master}`), 200);
  assert.equal(await status(`function?code=${KEYS.durableTask}`), 401);
  assert.equal(await status(`admin?code=${KEYS.function}`), 401);
  assert.equal(await status('admin', { 'x-functions-key': KEYS.master }), 200);
});

test('a request reaches the function whole', async () => {
  const given: RpcData[] = [];
  const ask = functionsBench([http('X', { route: 'x/{id}' })], async (_, data) => {
    given.push(data);
    return undefined;
  });
  const headers = { a: '1', 'set-cookie': ['b', 'c'], gone: undefined };
  const answer = await ask('POST', '/api/x/7?q=1', { headers, body: 'body' });
  assert.deepEqual(answer, { status: 204 });
  assert.deepEqual(given[0]?.http, {
    method: 'POST',
    url: `${ORIGIN}/api/x/7?q=1`,
    headers: { a: '1', 'set-cookie': 'b, c' },
    params: { id: '7' },
    body: { bytes: Buffer.from('body') },
  });
});

test('an answer goes out as the function made it; an error is 500 and says nothing', async () => {
  const ask = functionsBench([http('X'), http('Broken')], async (name) => {
    if (name === 'Broken') throw new Error('secret');
    const cookies = [
      { name: 'a', value: 'b c' },
      {
        name: 'd',
        value: 'e',
        sameSite: 'strict',
        httpOnly: { value: true },
        path: { value: '/x' },
        maxAge: { value: 9 },
      },
    ];
    return { http: { statusCode: '418', headers: { x: 'y' }, cookies, body: { bytes: Buffer.from('tea') } } };
  });
  const answer = await ask('GET', '/api/X');
  assert.deepEqual(
    [answer?.status, answer?.headers, bodyOf(answer)],
    [
      418,
      { x: 'y', 'set-cookie': ['a=b%20c; path=/', 'd=e; max-age=9; path=/x; samesite=strict; httponly'] },
      'tea',
    ],
  );
  assert.deepEqual(await ask('GET', '/api/Broken'), { status: 500 });
  const bare = functionsBench([http('X')], async () => ({ http: { statusCode: '202' } }));
  assert.deepEqual(await bare('GET', '/api/X'), { status: 202, headers: {} });
});

/** The Event Grid webhook of one function. `refuse` names the event it does not take. */
function eventsBench(refuse?: string) {
  const taken: string[] = [];
  const handler = createEventGridWebhook({
    functions: byName(hosted('OnBlob', 'eventGridTrigger')),
    keys: KEYS,
    invoke: async (_, { data }) => {
      const { id } = JSON.parse(data.json ?? '') as { id: string };
      await new Promise((resolve) => setImmediate(resolve));
      if (id === refuse) throw new Error('refused');
      taken.push(id);
      return undefined;
    },
  });
  const deliver = (
    body: unknown,
    {
      type = 'Notification',
      query = `functionName=OnBlob&code=${KEYS.eventGrid}`,
      method = 'POST',
      headers = {},
    } = {},
  ) =>
    handler({
      method,
      url: new URL(`/runtime/webhooks/EventGrid?${query}`, ORIGIN),
      headers: { ...(type === '' ? {} : { 'aeg-event-type': type }), ...headers },
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    });
  return { taken, deliver, handler };
}

test('events are accepted once the function has taken every one of them', async () => {
  const { taken, deliver } = eventsBench();
  assert.deepEqual(await deliver([{ id: '1' }, { id: '2' }]), { status: 202 });
  assert.deepEqual(taken, ['1', '2']);
  assert.deepEqual(await deliver({ id: '3' }), { status: 202 });
  assert.deepEqual(taken, ['1', '2', '3']);
});

test('events of which one is not taken are not accepted, and the others are taken all the same', async () => {
  const { taken, deliver } = eventsBench('2');
  const answer = await deliver([{ id: '1' }, { id: '2' }, { id: '3' }]);
  assert.deepEqual(
    [answer?.status, bodyOf(answer)],
    [500, 'Exception while executing function: Functions.OnBlob'],
  );
  assert.deepEqual(taken, ['1', '3']);
});

test('the handshake is answered with its code; who leaves is let go', async () => {
  const { taken, deliver } = eventsBench();
  const answer = await deliver([{ data: { validationCode: 'v' } }], { type: 'SubscriptionValidation' });
  assert.deepEqual([answer?.status, bodyOf(answer)], [200, '{"validationResponse":"v"}']);
  assert.equal(answer?.headers?.['content-type'], 'text/plain; charset=utf-8');
  const asked = { method: 'OPTIONS', headers: { 'webhook-request-origin': 'grid' } };
  assert.deepEqual((await deliver('', asked))?.headers, { 'webhook-allowed-origin': 'grid' });
  assert.deepEqual(await deliver([{ id: '1' }], { type: 'unsubscribe' }), { status: 202 });
  const empty = await deliver([{}], { type: 'SubscriptionValidation' });
  assert.deepEqual([empty?.status, bodyOf(empty)], [200, '{}']);
  assert.deepEqual(taken, []);
});

test('only Event Grid gets in, and only with events', async () => {
  const { taken, deliver, handler } = eventsBench();
  const status = async (body: unknown, more = {}) => (await deliver(body, more))?.status;
  const events = [{ id: '1' }];
  assert.equal(await status(events, { query: 'functionName=OnBlob' }), 401);
  assert.equal(await status(events, { query: `functionName=OnBlob&code=${KEYS.function}` }), 403);
  assert.equal(await status(events, { query: `functionName=Other&code=${KEYS.eventGrid}` }), 404);
  assert.equal(await status(events, { query: `code=${KEYS.eventGrid}` }), 404);
  assert.equal(await status(events, { method: 'GET' }), 400);
  for (const bad of ['', 'text', '7', '[{"id":"1"},7]', 'null', '[null]'])
    assert.equal(await status(bad), 500, bad);
  assert.equal(await status('[]'), 202);
  for (const type of ['', 'Other']) assert.equal(await status(events, { type }), 400);
  assert.deepEqual(taken, []);
  assert.equal(await status(events, { query: `functionName=OnBlob&code=${KEYS.master}` }), 202);
  const header = { query: 'functionName=OnBlob', headers: { 'x-functions-key': KEYS.eventGrid } };
  assert.equal(await status(events, header), 202);
  const elsewhere = new URL('/runtime/webhooks/other', ORIGIN);
  assert.equal(
    await handler({ method: 'POST', url: elsewhere, headers: {}, body: Buffer.from('') }),
    undefined,
  );
});
