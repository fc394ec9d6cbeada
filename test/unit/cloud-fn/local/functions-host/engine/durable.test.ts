import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { loadApp } from '../../../../../../cloud-fn/local/functions-host/core-api.ts';
import {
  createFunctionsHost,
  type FunctionsHost,
} from '../../../../../../cloud-fn/local/functions-host/functions-host.ts';
import { hostSettingsOf } from '../../../../../../cloud-fn/local/functions-host/host-json.ts';
import { EVENT } from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';
import { createVirtualHostClock } from '../../../../../fakes/cloud/virtual-host-clock.ts';
import { until } from '../host-bench.ts';

const APP = new URL('../../../../../fakes/apps/durable-sample.ts', import.meta.url).pathname;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 21, 12);

const app = await loadApp(APP);
const { effects, deployed, gate } = (await import(
  APP
)) as typeof import('../../../../../fakes/apps/durable-sample.ts');

let dataDir = '';
let host: FunctionsHost;
let time: ReturnType<typeof createVirtualHostClock>;
let base = '';

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dacha-functions-'));
  time = createVirtualHostClock(START_MS);
  await boot();
});
after(async () => {
  await host.stop();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => {
  effects.length = 0;
});

async function boot() {
  host = createFunctionsHost({
    app,
    dataDir,
    hostSettings: hostSettingsOf({}),
    appSettings: {},
    clock: time.clock,
    log: () => undefined,
  });
  base = `http://127.0.0.1:${await host.start(0)}`;
}
const reboot = async () => {
  await host.stop();
  await boot();
};
const pass = (ms: number) => time.advance(ms, () => host.atRest());
const manage = (path: string, init: RequestInit = {}) =>
  fetch(
    `${base}/runtime/webhooks/durabletask/${path}${path.includes('?') ? '&' : '?'}code=${host.keys.durableTask}`,
    init,
  );
const start = async (name: string, id: string, input?: unknown) => {
  const response = await manage(`orchestrators/${name}/${id}`, {
    method: 'POST',
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  });
  await host.atRest();
  return response.status;
};
const raise = async (id: string, event: string, data: unknown) => {
  const response = await manage(`instances/${id}/raiseEvent/${event}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(data),
  });
  await host.atRest();
  return response.status;
};
const statusOf = async (id: string) =>
  (await (await manage(`instances/${id}`)).json()) as {
    runtimeStatus: string;
    output: unknown;
    customStatus: unknown;
  };
const countOf = (id: string, type: number) =>
  host.history.eventsOf(id).filter((event) => event.EventType === type).length;

test('an HTTP start answers 202 with Location, and the link shows the instance', async () => {
  const response = await fetch(`${base}/api/start/clip/http-1?code=${host.keys.function}`, {
    method: 'POST',
    body: JSON.stringify({ clip: 'a' }),
  });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('retry-after'), '10');
  const location = response.headers.get('location') ?? '';
  assert.ok(location.startsWith(`${base}/runtime/webhooks/durabletask/instances/http-1?`), location);
  await host.atRest();
  const shown = await fetch(location);
  assert.equal(shown.status, 202);
  assert.equal(((await shown.json()) as { runtimeStatus: string }).runtimeStatus, 'Running');
});

test('an event before the timer completes the clip, cancels the timer and shows the custom status', async () => {
  await start('clip', 'clip-1', { clip: 'a' });
  assert.deepEqual((await statusOf('clip-1')).customStatus, { step: 'asking' });
  assert.equal(await raise('clip-1', 'JUDGED', { person: true }), 202);
  const status = await statusOf('clip-1');
  assert.equal(status.runtimeStatus, 'Completed');
  assert.deepEqual(status.output, { ok: true, verdict: { person: true } });
  assert.deepEqual(status.customStatus, { step: 'judged' });
  assert.deepEqual(
    effects.filter((one) => one.startsWith('Echo')),
    ['Echo {"ask":"a"}', 'Echo {"complete":"a"}'],
  );
});

test('the timer before an event escalates after 360 seconds, and a late event is answered with 410', async () => {
  await start('clip', 'clip-2', { clip: 'b' });
  await pass(6 * MINUTE_MS - 1);
  assert.equal((await statusOf('clip-2')).runtimeStatus, 'Running');
  await pass(1);
  assert.deepEqual((await statusOf('clip-2')).output, { ok: false, reason: 'too late' });
  assert.equal(await raise('clip-2', 'JUDGED', {}), 410);
  const swallowed = await fetch(`${base}/api/client/clip-2/raise?event=JUDGED`, {
    method: 'POST',
    body: '{}',
  });
  assert.equal(swallowed.status, 200, 'the client library swallows the 410');
});

test('a timer that is not cancelled keeps the instance running until it fires', async () => {
  await start('forgets-timer', 'forgets-1');
  await raise('forgets-1', 'GO', null);
  assert.equal((await statusOf('forgets-1')).runtimeStatus, 'Running');
  await pass(6 * MINUTE_MS);
  assert.equal((await statusOf('forgets-1')).runtimeStatus, 'Completed');
});

test('an exception of an activity reaches the catch of the orchestrator', async () => {
  await start('catches', 'catches-1');
  assert.equal((await statusOf('catches-1')).output, 'notified');
  assert.ok(effects.includes('Echo {"notify":true}'));
});

test('a retry succeeds on the third try, after waits of 5 and 10 seconds', async () => {
  await start('retries', 'retries-1', 'k1');
  assert.equal(effects.length, 1);
  await pass(5000);
  assert.equal(effects.length, 2);
  await pass(9999);
  assert.equal(effects.length, 2);
  await pass(1);
  assert.equal((await statusOf('retries-1')).output, 'at last');
  assert.equal(countOf('retries-1', EVENT.timerFired), 2);
});

test('a retry that is exhausted fails the instance with the message of the last error', async () => {
  await start('gives-up', 'gives-up-1');
  await pass(MINUTE_MS);
  const status = await statusOf('gives-up-1');
  assert.equal(status.runtimeStatus, 'Failed');
  assert.match(String(status.output), /FailAlways.*never/);
  assert.equal(effects.length, 3);
  assert.equal(countOf('gives-up-1', EVENT.timerFired), 3);
});

test('a timer of 20 days is six timers, and survives a restart of the host', async () => {
  await start('twenty-days', 'days-1');
  await pass(10 * DAY_MS);
  await reboot();
  const beganMs = Date.parse(host.history.eventsOf('days-1')[0]?.Timestamp ?? '');
  await pass(10 * DAY_MS);
  assert.equal((await statusOf('days-1')).output, new Date(beganMs + 20 * DAY_MS).toISOString());
  assert.equal(countOf('days-1', EVENT.timerCreated), 6);
});

test('fifty rounds of continueAsNew keep the history short', async () => {
  await start('monitor', 'monitor-1', { round: 0 });
  for (let round = 0; round < 51; round += 1) {
    assert.ok(host.history.eventsOf('monitor-1').length < 10);
    await pass(MINUTE_MS);
  }
  assert.deepEqual((await statusOf('monitor-1')).output, { rounds: 50 });
  assert.equal(effects.filter((one) => one.startsWith('Echo')).length, 51);
});

test('three sub-orchestrations fan out and in; a child may be named; a failing child fails its parent', async () => {
  await start('fan-out', 'fan-1', [1, 2, 3]);
  assert.deepEqual((await statusOf('fan-1')).output, [10, 20, 30]);
  const second = host.history
    .eventsOf('fan-1')
    .find((event) => event.EventType === EVENT.subOrchestrationCreated && event.EventId === 1);
  assert.equal((await statusOf(second?.InstanceId ?? '')).runtimeStatus, 'Completed');
  await start('named-child', 'named-1');
  assert.equal((await statusOf('my-child')).output, 70);
  await start('fan-out', 'fan-2', [1, -2]);
  const status = await statusOf('fan-2');
  assert.equal(status.runtimeStatus, 'Failed');
  assert.match(String(status.output), /-2 is negative/);
});

test('a running id cannot be started again, a finished one is replaced', async () => {
  assert.equal(await start('waits-late', 'dup-1'), 202);
  assert.equal(await start('waits-late', 'dup-1'), 409);
  const throughClient = await fetch(`${base}/api/start/waits-late/dup-1?code=${host.keys.function}`, {
    method: 'POST',
  });
  assert.equal(throughClient.status, 500, 'startNew rejects');
  await manage('instances/dup-1/terminate?reason=enough', { method: 'POST' });
  assert.equal(await start('child', 'dup-1', 4), 202);
  assert.equal((await statusOf('dup-1')).output, 40);
});

test('an event for an unknown instance is 404 and makes the client throw', async () => {
  assert.equal(await raise('nobody', 'JUDGED', {}), 404);
  const response = await fetch(`${base}/api/client/nobody/raise?event=JUDGED`, {
    method: 'POST',
    body: '{}',
  });
  assert.equal(response.status, 500);
});

test('two waiters for one event name complete last first', async () => {
  await start('two-waiters', 'lifo-1');
  await raise('lifo-1', 'X', 'first');
  await raise('lifo-1', 'X', 'second');
  assert.deepEqual((await statusOf('lifo-1')).output, ['second', 'first']);
});

test('an event raised before it is waited for is kept', async () => {
  await start('waits-late', 'early-1');
  await raise('early-1', 'EARLY', 42);
  await pass(MINUTE_MS);
  assert.equal((await statusOf('early-1')).output, 42);
});

test('continueAsNew drops events nobody waited for', async () => {
  await start('drops-events', 'drops-1', 0);
  await raise('drops-1', 'EARLY', 'lost');
  await pass(MINUTE_MS);
  assert.equal((await statusOf('drops-1')).runtimeStatus, 'Running');
  await raise('drops-1', 'EARLY', 'kept');
  assert.equal((await statusOf('drops-1')).output, 'kept');
});

test('code that was changed under a running instance fails it instead of going wrong', async () => {
  await start('changes', 'changes-1');
  deployed.extraActivity = true;
  try {
    await raise('changes-1', 'GO', null);
  } finally {
    deployed.extraActivity = false;
  }
  const status = await statusOf('changes-1');
  assert.equal(status.runtimeStatus, 'Failed');
  assert.match(
    String(status.output),
    /^Non-Deterministic workflow detected: .* activity task with sequence number 0 named 'Echo'/,
  );
});

test('a task yielded in two Task.any is scheduled twice, as durable-js#574 has it', async () => {
  await start('yields-a-task-twice', 'twice-1');
  await raise('twice-1', 'B', null);
  assert.equal(countOf('twice-1', EVENT.taskScheduled), 2);
});

test('values of every kind reach an activity and come back, but a bare boolean as a text, as on Azure', async () => {
  await start('values', 'values-1');
  const expected = ['text', '5', '', 5, 1.5, 'True', null, { a: [1] }, 'ünïcode "quoted"', null];
  assert.deepEqual((await statusOf('values-1')).output, expected);
});

test('hooks of the app run around an invocation', async () => {
  await start('child', 'hooks-1', 1);
  assert.deepEqual(effects, ['hook:pre', 'Echo 10', 'hook:post']);
});

test('entities and unknown activities fail the instance with a clear message', async () => {
  await start('uses-entity', 'entity-1');
  assert.match(String((await statusOf('entity-1')).output), /does not emulate callEntity/);
  await start('calls-unknown', 'unknown-1');
  assert.match(String((await statusOf('unknown-1')).output), /'NoSuchActivity' doesn't exist/);
});

test('a host that is stopped waits for the activity under way, and the next host does not run it again', async () => {
  const held = Promise.withResolvers<void>();
  gate.open = held.promise;
  assert.equal((await manage('orchestrators/holds/h1', { method: 'POST' })).status, 202);
  await until('it runs', () => effects.includes('Held'));
  let isStopped = false;
  const stopping = host.stop().then(() => (isStopped = true));
  for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isStopped, false);
  held.resolve();
  await stopping;
  await boot();
  await host.atRest();
  assert.deepEqual(effects, ['Held']);
  assert.equal(host.history.instance('h1')?.status, 'Completed');
});

test('terminate ends an instance with its reason; nothing of it runs any more', async () => {
  await start('clip', 'term-1', { clip: 't' });
  assert.equal((await fetch(`${base}/api/client/term-1/terminate`, { method: 'POST' })).status, 200);
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
  await host.atRest();
  assert.equal((await statusOf('susp-1')).runtimeStatus, 'Completed');
});

test('purge forgets finished instances only', async () => {
  await start('clip', 'purge-1', { clip: 'p' });
  assert.equal((await manage('instances/purge-1', { method: 'DELETE' })).status, 412);
  await manage('instances/purge-1/terminate?reason=x', { method: 'POST' });
  const purged = await fetch(`${base}/api/client/purge-1/purge`, { method: 'POST' });
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
  const post = (path: string, headers = {}) => fetch(`${base}${path}`, { method: 'POST', headers });
  assert.equal((await post('/api/start/child')).status, 401);
  assert.equal((await post('/api/start/child?code=wrong')).status, 401);
  assert.equal((await post('/api/start/child', { 'x-functions-key': host.keys.master })).status, 202);
  assert.equal((await fetch(`${base}/api/Admin?code=${host.keys.function}`)).status, 401);
  assert.equal(await (await fetch(`${base}/api/Admin?code=${host.keys.master}`)).text(), 'secret');
  assert.equal((await fetch(`${base}/runtime/webhooks/durabletask/instances/x`)).status, 401);
  assert.equal((await fetch(`${base}/durabletask/instances/x`)).status, 404);
});

test('routes, methods, bodies and errors are answered as HTTP has it', async () => {
  const files = await fetch(`${base}/api/files/a/b%20c.mp4`);
  assert.deepEqual(await files.json(), { path: 'a/b c.mp4' });
  const wrong = await fetch(`${base}/api/Admin`, { method: 'DELETE' });
  assert.equal(wrong.status, 404);
  assert.equal((await fetch(`${base}/api/nothing`)).status, 404);
  assert.equal((await fetch(`${base}/api/Breaks`)).status, 500);
  const large = await fetch(`${base}/api/files/x`, {
    method: 'POST',
    body: new Uint8Array(11 * 1024 * 1024),
  });
  assert.equal(large.status, 413);
  assert.equal((await manage('orchestrators/child', { method: 'POST', body: '{]' })).status, 400);
  const cookie = await fetch(`${base}/api/client/list-2/raise?event=E`, { method: 'POST', body: '1' });
  assert.equal(cookie.headers.get('set-cookie'), 'seen=a%20b; path=/');
});

test('the Event Grid webhook answers the handshake, wants its key, and starts each blob once', async () => {
  const deliver = (type: string, body: unknown, query = `functionName=OnBlob&code=${host.keys.eventGrid}`) =>
    fetch(`${base}/runtime/webhooks/eventgrid?${query}`, {
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
  await host.atRest();
  assert.equal((await statusOf('blob-e1')).runtimeStatus, 'Running');
  assert.equal((await deliver('Notification', [{ ...event, subject: 'refuse' }])).status, 500);
  assert.equal(
    (await deliver('Notification', [event], `functionName=No&code=${host.keys.eventGrid}`)).status,
    404,
  );
  assert.equal((await deliver('Notification', 'text')).status, 500);
});
