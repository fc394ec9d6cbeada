import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effects, START_MS, useDurableHost } from './durable-rig.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const it = useDurableHost();
const { pass, manage, start, raise, statusOf } = it;

test('an HTTP start answers 202 with Location, and the link shows the instance', async () => {
  const response = await fetch(`${it.base}/api/start/clip/http-1?code=${it.host.keys.function}`, {
    method: 'POST',
    body: JSON.stringify({ clip: 'a' }),
  });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('retry-after'), '10');
  const location = response.headers.get('location') ?? '';
  assert.ok(location.startsWith(`${it.base}/runtime/webhooks/durabletask/instances/http-1?`), location);
  await it.host.atRest();
  const shown = await fetch(location);
  assert.equal(shown.status, 202);
  assert.equal(((await shown.json()) as { runtimeStatus: string }).runtimeStatus, 'Running');
  // The others move time: it ends before its own time is over.
  assert.equal(await raise('http-1', 'JUDGED', {}), 202);
});

test('a running id cannot be started again, a finished one is replaced', async () => {
  assert.equal(await start('waits-late', 'dup-1'), 202);
  assert.equal(await start('waits-late', 'dup-1'), 409);
  const throughClient = await fetch(`${it.base}/api/start/waits-late/dup-1?code=${it.host.keys.function}`, {
    method: 'POST',
  });
  assert.equal(throughClient.status, 500, 'startNew rejects');
  await manage('instances/dup-1/terminate?reason=enough', { method: 'POST' });
  assert.equal(await start('child', 'dup-1', 4), 202);
  assert.equal((await statusOf('dup-1')).output, 40);
});

test('an event for an unknown instance is 404 and makes the client throw', async () => {
  assert.equal(await raise('nobody', 'JUDGED', {}), 404);
  const response = await fetch(`${it.base}/api/client/nobody/raise?event=JUDGED`, {
    method: 'POST',
    body: '{}',
  });
  assert.equal(response.status, 500);
});

test('terminate ends an instance with its reason; nothing of it runs any more', async () => {
  await start('clip', 'term-1', { clip: 't' });
  assert.equal((await fetch(`${it.base}/api/client/term-1/terminate`, { method: 'POST' })).status, 200);
  const status = await statusOf('term-1');
  assert.deepEqual([status.runtimeStatus, status.output], ['Terminated', 'asked to']);
  await pass(10 * MINUTE_MS);
  assert.ok(!effects.some((one) => one.includes('escalate')));
  assert.equal(await raise('term-1', 'JUDGED', {}), 410);
});

test('a suspended instance keeps its events and goes on after resume', async () => {
  await start('clip', 'susp-1', { clip: 's' });
  await manage('instances/susp-1/suspend?reason=x', { method: 'POST' });
  await raise('susp-1', 'JUDGED', 1);
  assert.equal((await statusOf('susp-1')).runtimeStatus, 'Suspended');
  await manage('instances/susp-1/resume?reason=x', { method: 'POST' });
  await it.host.atRest();
  assert.equal((await statusOf('susp-1')).runtimeStatus, 'Completed');
});

test('purge forgets finished instances only', async () => {
  await start('clip', 'purge-1', { clip: 'p' });
  assert.equal((await manage('instances/purge-1', { method: 'DELETE' })).status, 412);
  await manage('instances/purge-1/terminate?reason=x', { method: 'POST' });
  const purged = await fetch(`${it.base}/api/client/purge-1/purge`, { method: 'POST' });
  assert.deepEqual(await purged.json(), { instancesDeleted: 1 });
  assert.equal((await manage('instances/purge-1')).status, 404);
});

test('instance ids with slashes, question marks, hashes or control characters are refused', async () => {
  for (const id of ['a%5Cb', 'a%3Fb', 'a%23b', 'a%0Ab']) assert.equal(await start('child', id, 1), 400, id);
  for (const id of ['a%2Fb', 'a/b']) assert.equal([400, 404].includes(await start('child', id, 1)), true, id);
});

test('instances are listed by status and time, page by page', async () => {
  const list = async (query: string, token?: string) => {
    const headers = token === undefined ? {} : { 'x-ms-continuation-token': token };
    const response = await manage(`instances/?${query}`, { headers });
    return {
      ids: ((await response.json()) as { instanceId: string }[]).map((one) => one.instanceId),
      token: response.headers.get('x-ms-continuation-token') ?? undefined,
    };
  };
  await start('child', 'list-1', 1);
  await start('clip', 'list-2', { clip: 'l' });
  const running = await list('runtimeStatus=Running');
  assert.ok(running.ids.includes('list-2') && !running.ids.includes('list-1'));
  const all = await list('top=1000');
  const first = await list('top=2');
  const second = await list('top=1000', first.token);
  assert.deepEqual([...first.ids, ...second.ids], all.ids);
  assert.deepEqual(
    (await list(`createdTimeFrom=${new Date(START_MS + 365 * DAY_MS).toISOString()}`)).ids,
    [],
  );
});

test('keys decide who may call: function, admin, management', async () => {
  const post = (path: string, headers = {}) => fetch(`${it.base}${path}`, { method: 'POST', headers });
  assert.equal((await post('/api/start/child')).status, 401);
  assert.equal((await post('/api/start/child?code=wrong')).status, 401);
  assert.equal((await post('/api/start/child', { 'x-functions-key': it.host.keys.master })).status, 202);
  assert.equal((await fetch(`${it.base}/api/Admin?code=${it.host.keys.function}`)).status, 401);
  assert.equal(await (await fetch(`${it.base}/api/Admin?code=${it.host.keys.master}`)).text(), 'secret');
  assert.equal((await fetch(`${it.base}/runtime/webhooks/durabletask/instances/x`)).status, 401);
  assert.equal((await fetch(`${it.base}/durabletask/instances/x`)).status, 404);
});

test('routes, methods, bodies and errors are answered as HTTP has it', async () => {
  const files = await fetch(`${it.base}/api/files/a/b%20c.mp4`);
  assert.deepEqual(await files.json(), { path: 'a/b c.mp4' });
  const wrong = await fetch(`${it.base}/api/Admin`, { method: 'DELETE' });
  assert.equal(wrong.status, 404);
  assert.equal((await fetch(`${it.base}/api/nothing`)).status, 404);
  assert.equal((await fetch(`${it.base}/api/Breaks`)).status, 500);
  const large = await fetch(`${it.base}/api/files/x`, {
    method: 'POST',
    body: new Uint8Array(11 * 1024 * 1024),
  });
  assert.equal(large.status, 413);
  assert.equal((await manage('orchestrators/child', { method: 'POST', body: '{]' })).status, 400);
  const cookie = await fetch(`${it.base}/api/client/list-2/raise?event=E`, { method: 'POST', body: '1' });
  assert.equal(cookie.headers.get('set-cookie'), 'seen=a%20b; path=/');
});

test('the Event Grid webhook answers the handshake, wants its key, and starts each blob once', async () => {
  const deliver = (
    type: string,
    body: unknown,
    query = `functionName=OnBlob&code=${it.host.keys.eventGrid}`,
  ) =>
    fetch(`${it.base}/runtime/webhooks/eventgrid?${query}`, {
      method: 'POST',
      headers: { 'aeg-event-type': type },
      body: JSON.stringify(body),
    });
  const handshake = await deliver('SubscriptionValidation', [{ data: { validationCode: 'v1' } }]);
  assert.deepEqual(await handshake.json(), { validationResponse: 'v1' });
  const event = { id: 'e1', subject: '/blobServices/default/containers/x/blobs/y', data: {} };
  assert.equal((await deliver('Notification', [event], 'functionName=OnBlob')).status, 401);
  assert.equal((await deliver('Notification', [event])).status, 202);
  assert.equal((await deliver('Notification', [event])).status, 202);
  await it.host.atRest();
  assert.equal((await statusOf('blob-e1')).runtimeStatus, 'Running');
  assert.equal((await deliver('Notification', [{ ...event, subject: 'refuse' }])).status, 500);
  assert.equal(
    (await deliver('Notification', [event], `functionName=No&code=${it.host.keys.eventGrid}`)).status,
    404,
  );
  assert.equal((await deliver('Notification', 'text')).status, 500);
});
