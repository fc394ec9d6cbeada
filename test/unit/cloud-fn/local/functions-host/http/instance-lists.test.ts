import assert from 'node:assert/strict';
import { test } from 'node:test';

import { durableApiBench as bench, ids, MANAGEMENT, NOW_MS, ORIGIN } from './durable-api-bench.ts';

test('an instance is shown as it is: while it runs with where to look again, then as it ended', async (t) => {
  const { manage, begin, end } = bench(t);
  begin('a');
  const running = await manage('GET', 'instances/a');
  assert.equal(running.status, 202);
  assert.deepEqual([running.headers['retry-after']], ['5']);
  assert.equal(running.headers['location'], `${ORIGIN}${MANAGEMENT}/instances/a?code=key-of-durable`);
  const time = '2026-11-21T12:00:00Z';
  const shown = {
    name: 'main',
    instanceId: 'a',
    runtimeStatus: 'Pending',
    input: { i: 1 },
    customStatus: null,
    output: null,
    createdTime: time,
    lastUpdatedTime: time,
  };
  assert.deepEqual(running.body, shown);
  end('a');
  const ended = await manage('GET', 'instances/a?showInput=False');
  assert.equal(ended.status, 200);
  assert.deepEqual(ended.body, { ...shown, input: null, runtimeStatus: 'Terminated', output: 'enough' });
  assert.equal((await manage('GET', 'instances/nobody')).status, 404);
});

test('history is shown to whoever asks for it', async (t) => {
  const { manage, begin, history } = bench(t);
  begin('a');
  const arrived = history.arrivedFor('a');
  history.storeEpisode(
    history.instance('a') ?? assert.fail(),
    arrived[0]?.seq ?? 0,
    {
      appended: arrived.map(({ event }) => event),
      scheduled: [],
      cancelledTimers: [],
      customStatus: '{"step":1}',
      end: { status: 'Running' },
    },
    NOW_MS,
  );
  const { body } = await manage('GET', 'instances/a?showHistory=TRUE');
  const { historyEvents, customStatus } = body as {
    historyEvents: { FunctionName: string }[];
    customStatus: unknown;
  };
  assert.deepEqual([historyEvents.map((one) => one.FunctionName), customStatus], [['main'], { step: 1 }]);
  for (const query of ['', '?showHistory=false'])
    assert.ok(!('historyEvents' in ((await manage('GET', `instances/a${query}`)).body as object)));
});

test('instances are listed page by page, by status and by time, and each once', async (t) => {
  const built = bench(t);
  const { begin, end } = built;
  for (const [index, id] of ['a', 'b', 'c', 'd', 'e'].entries()) begin(id, NOW_MS + index * 1_000);
  end('b');
  end('d');
  assert.deepEqual(await ids(built, ''), { ids: ['a', 'b', 'c', 'd', 'e'], token: undefined });
  const first = await ids(built, 'top=2');
  assert.deepEqual(first.ids, ['a', 'b']);
  const second = await ids(built, 'top=2', { 'x-ms-continuation-token': first.token });
  assert.deepEqual(second.ids, ['c', 'd']);
  const last = await ids(built, 'top=2', { 'x-ms-continuation-token': second.token });
  assert.deepEqual(last, { ids: ['e'], token: undefined });
  assert.deepEqual((await ids(built, 'runtimeStatus=Terminated')).ids, ['b', 'd']);
  assert.deepEqual((await ids(built, 'runtimeStatus=Terminated,Pending,')).ids.length, 5);
  const terminated = await ids(built, 'runtimeStatus=Terminated&top=1');
  assert.deepEqual(terminated.ids, ['b']);
  const time = (ms: number) => new Date(NOW_MS + ms).toISOString();
  assert.deepEqual((await ids(built, `createdTimeFrom=${time(1_000)}&createdTimeTo=${time(2_000)}`)).ids, [
    'b',
    'c',
  ]);
  assert.deepEqual((await ids(built, 'createdTimeFrom=nonsense')).ids.length, 5);
  assert.deepEqual((await ids(built, 'top=0')).ids, []);
  assert.deepEqual((await ids(built, 'top=-3')).ids.length, 5);
  assert.deepEqual((await ids(built, 'instanceIdPrefix=c')).ids, ['c']);
  assert.deepEqual((await ids(built, 'runtimeStatus=terminated')).ids.length, 5);
  assert.deepEqual((await ids(built, 'top=nonsense')).ids.length, 5);
});

test('more instances than a page holds are all found, and a page is never longer than a thousand', async (t) => {
  const built = bench(t);
  const name = (n: number) => `i${String(n).padStart(4, '0')}`;
  // In one commit: a thousand of them wait for the disk a thousand times.
  built.db.transaction(() => {
    for (let n = 0; n < 1_003; n += 1) built.begin(name(n));
  })();
  for (const n of [1_000, 1_002]) built.end(name(n));
  assert.deepEqual((await ids(built, 'runtimeStatus=Terminated')).ids, [name(1_000), name(1_002)]);
  const page = await ids(built, 'top=5000');
  assert.equal(page.ids.length, 1_000);
  const rest = await ids(built, 'top=5000', { 'x-ms-continuation-token': page.token });
  assert.deepEqual(rest.ids, [name(1_000), name(1_001), name(1_002)]);
});

test('a purge takes what has finished, one or those a filter selects, and says how many', async (t) => {
  const built = bench(t);
  const { manage, begin, end, history } = built;
  for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) begin(id, NOW_MS + index * 1_000);
  for (const id of ['a', 'b', 'c']) end(id);
  assert.equal((await manage('DELETE', 'instances/d')).status, 412);
  assert.equal((await manage('DELETE', 'instances/nobody')).status, 404);
  const one = await manage('DELETE', 'instances/a');
  assert.deepEqual([one.status, one.body], [200, { instancesDeleted: 1 }]);
  assert.equal(history.instance('a'), undefined);
  const from = (ms: number) => `createdTimeFrom=${new Date(NOW_MS + ms).toISOString()}`;
  assert.equal((await manage('DELETE', `instances?${from(0)}&runtimeStatus=Failed`)).status, 404);
  assert.deepEqual((await manage('DELETE', `instances?${from(2_000)}`)).body, { instancesDeleted: 1 });
  assert.deepEqual((await ids(built, '')).ids, ['b', 'd']);
  assert.deepEqual((await manage('DELETE', `instances?${from(0)}`)).body, { instancesDeleted: 1 });
});

test('a purge whose words cannot all be read takes nothing', async (t) => {
  const { message, begin, end, history } = bench(t);
  begin('a');
  end('a');
  const from = `createdTimeFrom=${new Date(NOW_MS).toISOString()}`;
  for (const query of ['', '?runtimeStatus=Terminated', '?createdTimeFrom=soon'])
    assert.match(
      await message('DELETE', `instances${query}`),
      /^400 Please provide value for 'createdTimeFrom'/,
    );
  assert.match(
    await message('DELETE', `instances?${from}&runtimeStatus=Ended`),
    /^400 There is no state 'Ended'/,
  );
  assert.match(await message('DELETE', `instances?${from}&createdTimeTo=soon`), /^400 'soon' is no time/);
  assert.equal(history.instance('a')?.status, 'Terminated');
});
