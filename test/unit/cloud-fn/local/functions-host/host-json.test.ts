import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostSettingsOf } from '../../../../../cloud-fn/local/functions-host/host-json.ts';

test("without host.json Azure's defaults hold", () => {
  assert.deepEqual(hostSettingsOf({}), {
    routePrefix: 'api',
    functionTimeoutMs: 1_800_000,
    maxConcurrentActivities: 10,
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
