import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelayMs } from '../../../../../../../cloud-fn/local/functions-host/engine/replay/retry.ts';

const options = { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 9 };

test('without a coefficient every wait is the first one', () => {
  assert.deepEqual([retryDelayMs(options, 1, 0), retryDelayMs(options, 5, 0)], [1_000, 1_000]);
});

test('waits grow with the coefficient up to the longest', () => {
  const growing = { ...options, backoffCoefficient: 2, maxRetryIntervalInMilliseconds: 5_000 };
  assert.deepEqual(
    [1, 2, 3, 4].map((attempt) => retryDelayMs(growing, attempt, 0)),
    [1_000, 2_000, 4_000, 5_000],
  );
});

test('once its time is over a call is not tried again', () => {
  const limited = { ...options, retryTimeoutInMilliseconds: 10_000 };
  assert.deepEqual([retryDelayMs(limited, 2, 9_999), retryDelayMs(limited, 2, 10_000)], [1_000, undefined]);
});
