import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durableClientPayload } from '../../../../../../cloud-fn/local/functions-host/http/durable-links.ts';
import { KEYS, until } from '../host-bench.ts';

import { durableApiBench as bench, MANAGEMENT, NOW_MS, ORIGIN } from './durable-api-bench.ts';

test('a start answers with every link of its instance, and tells the engine', async (t) => {
  const { manage, history, kicks, at } = bench(t);
  at(NOW_MS + 5);
  const { status, headers, body } = await manage('POST', 'orchestrators/main/a?version=2', {
    body: '{"x":1}',
  });
  assert.equal(status, 202);
  const query = 'taskHub=hub&connection=Storage&code=key-of-durable';
  const instance = `${ORIGIN}${MANAGEMENT}/instances/a`;
  assert.deepEqual(body, {
    id: 'a',
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  });
  assert.deepEqual([headers['location'], headers['retry-after']], [`${instance}?${query}`, '10']);
  const { input, version, created_ms } = history.instance('a') ?? assert.fail();
  assert.deepEqual([input, version, created_ms, kicks() > 0], ['{"x":1}', '2', NOW_MS + 5, true]);
});

test('a start without an id is given one, without a body it has no input', async (t) => {
  const { manage, history } = bench(t);
  for (const path of ['orchestrators/main', 'orchestrators/main/']) {
    const { status, body } = await manage('POST', path);
    const { id } = body as { id: string };
    assert.equal(status, 202);
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(history.instance(id)?.input, null);
  }
});

const EVENT_TYPE = { headers: { 'content-type': 'application/json' } };

test('a start that cannot be is refused as on Azure, and starts nothing', async (t) => {
  const { message, begin, history } = bench(t);
  begin('a');
  const running = '409 An Orchestration instance with the status Pending already exists.';
  assert.equal(await message('POST', 'orchestrators/main/a'), running);
  assert.equal(await message('POST', 'orchestrators/main/b', { body: 'x' }), '400 Invalid JSON content');
  assert.match(await message('POST', 'orchestrators/main/b', { body: '{"a":' }), /^500 Something went wrong/);
  assert.match(await message('POST', `orchestrators/main/${'x'.repeat(257)}`), /^400 .*at most 256/);
  assert.match(await message('POST', 'orchestrators/main/a%23b'), /^400 An instance id must not contain/);
  assert.match(await message('POST', 'orchestrators/main/a%C2%80b'), /^400 An instance id must not contain/);
  assert.equal(await message('POST', 'orchestrators/main/b/c'), '404 ');
  assert.equal(await message('GET', 'orchestrators/main/b'), '404 ');
  assert.equal(history.instance('b'), undefined);
  assert.match(await message('POST', `orchestrators/main/${'x'.repeat(256)}`), /^202/);
});

test('a start of what nobody registered is accepted: the instance will say so', async (t) => {
  const { message, history } = bench(t);
  assert.match(await message('POST', 'orchestrators/other/b'), /^202/);
  assert.equal(history.instance('b')?.name, 'other');
});

test('a body that is nested too deep to be shown again is refused, and the listing stays whole', async (t) => {
  const { manage, begin, message } = bench(t);
  begin('a');
  const body = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  assert.match(await message('POST', 'orchestrators/main/deep', { body }), /^400/);
  const headers = { 'content-type': 'application/json' };
  assert.match(await message('POST', 'instances/a/raiseEvent/go', { body, headers }), /^400/);
  const { status, body: listed } = await manage('GET', 'instances?showInput=true');
  assert.deepEqual([status, (listed as unknown[]).length], [200, 1]);
});

test('a start that waits answers with the bare output, or with the links when time is up', async (t) => {
  const { manage, history } = bench(t);
  const waiting = manage('POST', 'orchestrators/main/a?timeout=60&pollingInterval=0.01');
  await until('it has begun', () => history.instance('a') !== undefined);
  const arrived = history.arrivedFor('a');
  history.storeEpisode(
    history.instance('a') ?? assert.fail(),
    arrived[0]?.seq ?? 0,
    {
      appended: [],
      scheduled: [],
      cancelledTimers: [],
      customStatus: null,
      end: { status: 'Completed', output: '{"o":1}' },
    },
    NOW_MS,
  );
  const { status, body } = await waiting;
  assert.deepEqual([status, body], [200, { o: 1 }]);
  assert.equal((await manage('POST', 'orchestrators/main/b?timeout=0.02&pollingInterval=0.01')).status, 202);
});

test('an instance is started once more: under a new id, or under its own when it has ended', async (t) => {
  const { manage, message, begin, end, history } = bench(t);
  begin('a');
  const { status, body } = await manage('POST', 'instances/a/restart');
  const { id } = body as { id: string };
  assert.equal(status, 202);
  assert.deepEqual([history.instance(id)?.name, history.instance(id)?.input], ['main', '{"i":1}']);
  const same = 'instances/a/restart?restartWithNewInstanceId=false';
  assert.match(
    await message('POST', same),
    /^409 A non-terminal instance with this instance ID already exists/,
  );
  end('a');
  assert.equal((await manage('POST', same)).status, 202);
  assert.equal(history.instance('a')?.status, 'Pending');
  assert.match(await message('POST', 'instances/nobody/restart'), /^400 InstanceId does not match/);
});

test('an event, a suspension, a resumption and an end are accepted, and the engine is told', async (t) => {
  const { message, begin, history, kicks } = bench(t);
  begin('a');
  assert.equal(
    await message('POST', 'instances/a/raiseEvent/MOVED', { ...EVENT_TYPE, body: '{"v":1}' }),
    '202 ',
  );
  assert.deepEqual(
    history.arrivedFor('a').map(({ event }) => [event.Name, event.Input]),
    [
      ['main', '{"i":1}'],
      ['MOVED', '{"v":1}'],
    ],
  );
  assert.equal(await message('POST', 'instances/a/suspend?reason=pause'), '202 ');
  assert.deepEqual([history.instance('a')?.status, history.instance('a')?.output], ['Suspended', '"pause"']);
  assert.match(await message('POST', 'instances/a/suspend'), /^500 Something went wrong/);
  assert.equal(await message('POST', 'instances/a/resume'), '202 ');
  assert.equal(history.instance('a')?.status, 'Running');
  assert.match(await message('POST', 'instances/a/resume'), /^500 Something went wrong/);
  assert.equal(await message('POST', 'instances/a/terminate?reason=enough'), '202 ');
  assert.equal(history.instance('a')?.output, '"enough"');
  assert.ok(kicks() >= 4);
  assert.equal(await message('POST', 'instances/a/terminate'), '410 ');
  begin('b');
  await message('POST', 'instances/b/terminate');
  assert.equal(history.instance('b')?.output, null);
});

test('what is asked of nobody, or cannot be done, is refused as on Azure', async (t) => {
  const { message, begin } = bench(t);
  begin('a');
  for (const verb of ['raiseEvent/X', 'terminate', 'suspend', 'resume'])
    assert.equal(await message('POST', `instances/nobody/${verb}`), '404 ', verb);
  for (const path of ['instances/a/raiseEvent', 'instances/a/raiseEvent/', 'instances/a/raiseEvent/X/y'])
    assert.equal(await message('POST', path, EVENT_TYPE), '404 ', path);
  assert.match(await message('POST', 'instances/a/raiseEvent/X'), /^400 Only application\/json/);
  assert.equal(await message('POST', 'instances/a/raiseEvent/X', EVENT_TYPE), '400 Invalid JSON content');
  const broken = { ...EVENT_TYPE, body: '{' };
  assert.equal(await message('POST', 'instances/a/raiseEvent/X', broken), '400 Invalid JSON content');
  assert.match(await message('POST', 'instances/a/rewind'), /^412 This orchestration has status Pending/);
  assert.equal(
    await message('POST', 'instances/nobody/rewind'),
    '404 No orchestration with instance ID "$nobody" found.',
  );
  for (const [method, path] of [
    ['POST', 'instances/a/dance'],
    ['GET', 'instances/a/terminate'],
    ['PUT', 'instances/a'],
    ['PUT', 'instances'],
    ['GET', 'elsewhere'],
    ['GET', 'instances/a?taskHub=other'],
  ] as const)
    assert.equal(await message(method, path), '404 ', `${method} ${path}`);
  assert.equal((await message('POST', 'entities/counter/a')).slice(0, 3), '501');
  assert.match(await message('GET', 'instances/a?connection=Nope'), /^500 Something went wrong/);
});

test('names come percent-encoded or not, and one that cannot be read is taken as it is', async (t) => {
  const { manage, begin, history } = bench(t);
  begin('a b');
  begin('%E0%A4');
  assert.equal((await manage('GET', 'instances/a%20b')).status, 202);
  assert.equal((await manage('GET', 'instances/%E0%A4')).status, 202);
  assert.equal((await manage('GET', 'Instances/a+b')).status, 202);
  await manage('POST', 'instances/a%20b/raiseEvent/X%20Y', { ...EVENT_TYPE, body: '1' });
  assert.equal(history.arrivedFor('a b').at(-1)?.event.Name, 'X Y');
});

test('who has no key is told nothing; the key of all opens too, also in a header', async (t) => {
  const { ask, begin } = bench(t);
  begin('a');
  const at = `${MANAGEMENT}/instances/a`;
  assert.equal((await ask('GET', at)).status, 401);
  assert.equal((await ask('GET', `${at}?code=${KEYS.function}`)).status, 403);
  assert.equal((await ask('GET', `${at}?code=${KEYS.master}`)).status, 202);
  assert.equal((await ask('GET', at, { headers: { 'x-functions-key': KEYS.durableTask } })).status, 202);
  assert.equal((await ask('GET', `/durabletask/${KEYS.rpc}/instances/a`)).status, 202);
  assert.equal((await ask('GET', `/durabletask/other/instances/a`)).status, undefined);
  assert.equal((await ask('GET', '/api/anything')).status, undefined);
});

test('the app is told its own management addresses', () => {
  const create = `${ORIGIN}${MANAGEMENT}/orchestrators/{functionName}[/{instanceId}]`;
  const { managementUrls, ...rest } = durableClientPayload({ origin: ORIGIN, hub: 'hub', keys: KEYS }) as {
    managementUrls: { id: string; rewindPostUri: string; restartPostUri: string };
  };
  const wait = 'timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}';
  assert.deepEqual(rest, {
    taskHubName: 'hub',
    creationUrls: {
      createNewInstancePostUri: `${create}?code=key-of-durable`,
      createAndWaitOnNewInstancePostUri: `${create}?${wait}&code=key-of-durable`,
    },
    baseUrl: `${ORIGIN}${MANAGEMENT}`,
    requiredQueryStringParameters: 'code=key-of-durable',
    rpcBaseUrl: `${ORIGIN}/durabletask/key-of-rpc/`,
  });
  assert.match(managementUrls.rewindPostUri, /INSTANCEID\/rewind\?reason=\{text\}/);
  assert.match(managementUrls.restartPostUri, /INSTANCEID\/restart\?taskHub=hub/);
  assert.equal(managementUrls.id, 'INSTANCEID');
});
