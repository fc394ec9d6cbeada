import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadSetting, modelsDir, readWorkerSettings } from '../../../../cloud-fn/yolo/settings.ts';

const STORAGE = { DACHA_STORAGE_CONNECTION: 'UseDevelopmentStorage=true' };

test('a connection string is all that has to be set', () => {
  const settings = readWorkerSettings(STORAGE);
  assert.deepEqual(settings.storage, { connectionString: 'UseDevelopmentStorage=true' });
  assert.deepEqual([settings.idleMs, settings.leaseMs], [120_000, 30_000]);
  assert.deepEqual([settings.strategy, settings.rateFps], ['fixed-rate', 2]);
});

test('without a connection string the managed identity is used, for blobs and queues', () => {
  const urls = {
    DACHA_STORAGE_ACCOUNT_URL_BLOB: 'https://a.blob.core.windows.net',
    DACHA_STORAGE_ACCOUNT_URL_QUEUE: 'https://a.queue.core.windows.net',
  };
  assert.deepEqual(readWorkerSettings(urls).storage, {
    blobUrl: urls.DACHA_STORAGE_ACCOUNT_URL_BLOB,
    queueUrl: urls.DACHA_STORAGE_ACCOUNT_URL_QUEUE,
  });
  assert.throws(() => readWorkerSettings({ DACHA_STORAGE_ACCOUNT_URL_BLOB: 'https://a' }), BadSetting);
});

test('a wrong setting is named together with what it may be', () => {
  const wrong = [
    [{ DACHA_WORKER_IDLE_MS: 'soon' }, /DACHA_WORKER_IDLE_MS is soon; it must be a number from 1/],
    [{ DACHA_WORKER_LEASE_MS: '10' }, /DACHA_WORKER_LEASE_MS/],
    [{ DACHA_YOLO_FPS: '-1' }, /DACHA_YOLO_FPS/],
    [
      { DACHA_SCHEDULED_EVENTS: 'yes' },
      /DACHA_SCHEDULED_EVENTS is yes; it is the metadata service's address/,
    ],
    [{ DACHA_SCHEDULED_EVENTS: 'https://169.254.169.254' }, /http:\/\/169\.254\.169\.254/],
    [
      { DACHA_YOLO_STRATEGY: 'guess' },
      /DACHA_YOLO_STRATEGY is guess; it can be fixed-rate, every-frame, key-frames/,
    ],
  ] as const;
  for (const [env, message] of wrong)
    assert.throws(
      () => readWorkerSettings({ ...STORAGE, ...env }),
      (error) => error instanceof BadSetting && message.test(error.message),
    );
});

test('the weights are looked for where scripts/models keeps them', () => {
  assert.equal(modelsDir({ DACHA_MODELS_DIR: '/models' }), '/models');
  assert.equal(modelsDir({ DACHAWATCH_CACHE: '/c' }), '/c/models');
  assert.equal(modelsDir({ XDG_CACHE_HOME: '/x' }), '/x/dachawatch/models');
});

test('nobody asks for scheduled events unless it is said where', () => {
  assert.equal(readWorkerSettings(STORAGE).scheduledEvents, undefined);
  const set = { DACHA_SCHEDULED_EVENTS: 'http://169.254.169.254', DACHA_VM_NAME: 'yolo_0' };
  assert.deepEqual(readWorkerSettings({ ...STORAGE, ...set }).scheduledEvents, {
    address: 'http://169.254.169.254',
    vmName: 'yolo_0',
  });
});
