import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeIfAllowed } from '../../../../../cloud-fn/yolo/storage/account.ts';

const refusing = (statusCode: number) => async () => {
  throw Object.assign(new Error(`storage says ${statusCode}`), { statusCode });
};

test('a queue that we may not make is taken to be there', async () => {
  await makeIfAllowed(refusing(403));
});

test('any other answer than yes or no is told', async () => {
  for (const status of [401, 404, 500, 503])
    await assert.rejects(makeIfAllowed(refusing(status)), { message: `storage says ${status}` });
});
