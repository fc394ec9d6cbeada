import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HISTORY_DAYS, purgeHistories } from '../../../../../cloud-fn/functions/instances/purge-histories.ts';
import { durableApiBench, ids, NOW_MS } from '../../local/functions-host/http/durable-api-bench.ts';

type Client = Parameters<typeof purgeHistories>[0];
type Filter = Parameters<Client['purgeInstanceHistoryBy']>[0];
type Bench = ReturnType<typeof durableApiBench>;

const DAY_MS = 86_400_000;

/** As the SDK asks it of the host. */
const clientOf = ({ manage }: Bench): Client => ({
  purgeInstanceHistoryBy: async ({ createdTimeFrom, createdTimeTo, runtimeStatus = [] }: Filter) => {
    const query = `createdTimeFrom=${createdTimeFrom?.toISOString()}&createdTimeTo=${createdTimeTo?.toISOString()}`;
    const { status, body } = await manage(
      'DELETE',
      `instances/?${query}&runtimeStatus=${runtimeStatus.join(',')}`,
    );
    if (status === 404) return { instancesDeleted: 0 };
    assert.equal(status, 200);
    return body;
  },
});

test('histories that ended and are a month old go; younger ones and those that run stay', async (t) => {
  const bench = durableApiBench(t);
  const oldMs = NOW_MS - HISTORY_DAYS * DAY_MS - 1;
  for (const id of ['old-ended', 'old-running']) bench.begin(id, oldMs);
  for (const id of ['young-ended', 'young-running']) bench.begin(id, NOW_MS - HISTORY_DAYS * DAY_MS + 1);
  for (const id of ['old-ended', 'young-ended']) bench.end(id);
  assert.equal(await purgeHistories(clientOf(bench), NOW_MS), 1);
  const left = await ids(bench, 'top=100');
  assert.deepEqual(left.ids.toSorted(), ['old-running', 'young-ended', 'young-running']);
  assert.equal(await purgeHistories(clientOf(bench), NOW_MS), 0, 'a second time there is nothing to do');
});

test('more than one purge removes at a time go all the same, and a runtime that never ends is left for the next night', async (t) => {
  const bench = durableApiBench(t);
  for (let at = 0; at < 1_100; at += 1) {
    bench.begin(`old-${at}`, 1_600_000_000_000);
    bench.end(`old-${at}`);
  }
  assert.equal(await purgeHistories(clientOf(bench), NOW_MS), 1_100);
  assert.deepEqual((await ids(bench, 'top=100')).ids, []);
  let asked = 0;
  const endless: Client = {
    purgeInstanceHistoryBy: async () => {
      asked += 1;
      return { instancesDeleted: 1 };
    },
  };
  assert.equal(await purgeHistories(endless, NOW_MS), asked);
  assert.ok(asked < 100);
});
