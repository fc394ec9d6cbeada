import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostSettingsOf, readHostSettings } from '../../../../../cloud-fn/local/functions-host/host-json.ts';
import { folderOf } from './host-bench.ts';

test("without host.json Azure's defaults hold", () => {
  assert.deepEqual(hostSettingsOf({}), {
    routePrefix: 'api',
    functionTimeoutMs: 1_800_000,
    maxConcurrentActivities: 10,
    hubName: 'TestHubName',
    queues: {
      messageEncoding: 'base64',
      maxDequeueCount: 5,
      visibilityTimeoutMs: 0,
      batchSize: 16,
      newBatchThreshold: 8,
      maxPollingIntervalMs: 60_000,
    },
  });
});

test('durations are read with days, fractions and "without end"', () => {
  const timeout = (functionTimeout: string) => hostSettingsOf({ functionTimeout }).functionTimeoutMs;
  assert.equal(timeout('00:05:00'), 300_000);
  assert.equal(timeout('1.00:00:00.5'), 86_400_500);
  assert.ok(timeout('-1') > 20 * 86_400_000);
});

test('values out of range are refused with the name of the setting', () => {
  const queues = (settings: object) => () => hostSettingsOf({ extensions: { queues: settings } });
  assert.throws(queues({ messageEncoding: 'utf7' }), /messageEncoding/);
  assert.throws(queues({ batchSize: 33 }), /batchSize .* 1 to 32/);
  assert.throws(queues({ visibilityTimeout: 'soon' }), /visibilityTimeout/);
});

test('what is set holds', () => {
  const settings = hostSettingsOf({
    functionTimeout: '01:02:03',
    extensions: {
      http: { routePrefix: '/v1/' },
      durableTask: { maxConcurrentActivityFunctions: 3, hubName: 'mine' },
      queues: {
        messageEncoding: 'None',
        maxDequeueCount: 2,
        visibilityTimeout: '00:00:30',
        batchSize: 7,
        newBatchThreshold: 0,
        maxPollingInterval: '00:00:00.25',
      },
    },
  });
  assert.deepEqual(settings, {
    routePrefix: 'v1',
    functionTimeoutMs: 3_723_000,
    maxConcurrentActivities: 3,
    hubName: 'mine',
    queues: {
      messageEncoding: 'none',
      maxDequeueCount: 2,
      visibilityTimeoutMs: 30_000,
      batchSize: 7,
      newBatchThreshold: 0,
      maxPollingIntervalMs: 250,
    },
  });
  assert.equal(hostSettingsOf({ extensions: { queues: { batchSize: 7 } } }).queues.newBatchThreshold, 3);
});

test('numbers have bounds: each bound itself is allowed, one more is not, nor is half of one', () => {
  const queues = (name: string, value: unknown) => () =>
    hostSettingsOf({ extensions: { queues: { [name]: value } } });
  const activities = (value: unknown) => () =>
    hostSettingsOf({ extensions: { durableTask: { maxConcurrentActivityFunctions: value } } });
  for (const [set, least, most] of [
    [(value: unknown) => queues('batchSize', value), 1, 32],
    [(value: unknown) => queues('maxDequeueCount', value), 1, 100],
    [(value: unknown) => queues('newBatchThreshold', value), 0, 32],
    [activities, 1, 1_000],
  ] as const) {
    for (const good of [least, most]) assert.doesNotThrow(set(good));
    for (const bad of [least - 1, most + 1, least + 0.5, '5'])
      assert.throws(set(bad), new RegExp(`must be a whole number from ${least} to ${most}\\.$`));
  }
});

test('texts and durations of another kind are refused with the name of the setting', () => {
  const prefix = (routePrefix: unknown) => () => hostSettingsOf({ extensions: { http: { routePrefix } } });
  assert.throws(prefix(7), /^Error: host\.json: routePrefix must be a text\.$/);
  for (const bad of ['5', '00:00', 5, '1:2:3:4', '00:05:00x'])
    assert.throws(() => hostSettingsOf({ functionTimeout: bad }), /functionTimeout must be a duration like/);
  assert.equal(hostSettingsOf({ functionTimeout: '-1' }).functionTimeoutMs, 2_147_483_647);
});

test('a file is read; none means what Azure takes by default', (t) => {
  const file = join(folderOf(t), 'host.json');
  writeFileSync(file, '{"version":"2.0","functionTimeout":"00:00:09"}');
  assert.equal(readHostSettings(file).functionTimeoutMs, 9_000);
  assert.deepEqual(readHostSettings(undefined), hostSettingsOf({}));
});
