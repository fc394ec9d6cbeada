import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '../../../cloud-fn/settings.ts';

const storage = { DACHA_STORAGE_CONNECTION: 'AccountName=a' };

test('a connection string is enough; everything else has a default', () => {
  assert.deepEqual(readSettings({ ...storage, DACHA_NOTIFY_WEBHOOK: '' }), {
    storage: { connectionString: 'AccountName=a' },
    hub: undefined,
    compute: { kind: 'none' },
    analysisWaitMs: 360_000,
    channels: [],
  });
});

test('an identity needs both addresses', () => {
  const urls = {
    DACHA_STORAGE_ACCOUNT_URL_BLOB: 'https://a.blob.test',
    DACHA_STORAGE_ACCOUNT_URL_QUEUE: 'https://a.queue.test',
  };
  assert.deepEqual(readSettings({ ...urls, DACHA_IOTHUB_HOST: 'hub.test' }), {
    storage: { blobEndpoint: 'https://a.blob.test', queueEndpoint: 'https://a.queue.test' },
    hub: { hostName: 'hub.test' },
    compute: { kind: 'none' },
    analysisWaitMs: 360_000,
    channels: [],
  });
  assert.throws(
    () => readSettings({ DACHA_STORAGE_ACCOUNT_URL_BLOB: 'https://a.blob.test' }),
    /^SettingsError: Set /,
  );
});

test('the worker is given what it needs, and neither the key of the hub nor the webhook', () => {
  const { compute } = readSettings({
    ...storage,
    DACHA_COMPUTE: 'local-process',
    DACHA_IOTHUB_CONNECTION: 'HostName=h;SharedAccessKey=secret',
    DACHA_NOTIFY_WEBHOOK: 'https://hook.test/?token=secret',
    DACHA_MODELS_DIR: '/models',
    PATH: '/bin',
    SECRET: 'secret',
  });
  assert.ok(compute.kind === 'local-process');
  assert.match(compute.entry, /cloud-fn\/yolo\/worker\.ts$/);
  assert.deepEqual(compute.environment, {
    PATH: '/bin',
    DACHA_STORAGE_CONNECTION: 'AccountName=a',
    DACHA_MODELS_DIR: '/models',
    ORT_DISABLE_TELEMETRY: '1',
  });
});

const JOB =
  '/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/house/providers/Microsoft.App/jobs/yolo';

test('each way to a person is one of a list', () => {
  const { channels } = readSettings({
    ...storage,
    DACHA_NOTIFY_WEBHOOK: 'https://hook.test/',
    DACHA_NOTIFY_WEBHOOK_SECRET: 'whsec_c2VjcmV0',
    DACHA_TELEGRAM_TOKEN: '12345:abcdefghijklmnopqrstuvwxyz',
    DACHA_TELEGRAM_CHAT: '-100200',
    DACHA_NTFY_TOPIC: 'https://ntfy.test/our-house',
    DACHA_NOTIFY_LANGUAGE: 'uk',
  });
  assert.deepEqual(
    channels.map(({ kind, ...rest }) => [kind, 'language' in rest ? rest.language : undefined]),
    [
      ['webhook', undefined],
      ['telegram', 'uk'],
      ['ntfy', 'uk'],
    ],
  );
});

test('a worker on Azure is named by its resource id', () => {
  const { compute } = readSettings({
    ...storage,
    DACHA_COMPUTE: 'container-apps-job',
    DACHA_COMPUTE_RESOURCE: JOB,
  });
  assert.deepEqual(compute, {
    kind: 'container-apps-job',
    resource: {
      subscriptionId: '00000000-1111-2222-3333-444444444444',
      resourceGroup: 'house',
      name: 'yolo',
    },
    endpoint: undefined,
  });
});

test('a setting nobody can work with is refused in one sentence that names it', () => {
  for (const [wrong, sentence] of [
    [{ DACHA_COMPUTE: 'moon' }, /DACHA_COMPUTE is "moon"/],
    [{ DACHA_COMPUTE: 'toString' }, /DACHA_COMPUTE is "toString"; it must be "container-apps-job", /],
    [
      { DACHA_COMPUTE: 'container-apps-job' },
      /DACHA_COMPUTE_RESOURCE must be the resource id .*Microsoft\.App\/jobs/,
    ],
    [{ DACHA_COMPUTE: 'container-instances', DACHA_COMPUTE_RESOURCE: JOB }, /containerGroups\/NAME/],
    [
      {
        DACHA_COMPUTE: 'container-apps-job',
        DACHA_COMPUTE_RESOURCE: JOB,
        DACHA_ARM_ENDPOINT: 'http://arm.test',
      },
      /DACHA_ARM_ENDPOINT must begin with https/,
    ],
    [{ DACHA_ANALYSIS_WAIT_MS: 'soon' }, /DACHA_ANALYSIS_WAIT_MS is "soon"/],
    [{ DACHA_ANALYSIS_WAIT_MS: '0' }, /whole milliseconds/],
    [{ DACHA_NOTIFY_WEBHOOK_SECRET: 'secret' }, /no effect without DACHA_NOTIFY_WEBHOOK/],
    [{ DACHA_NOTIFY_LANGUAGE: 'de' }, /DACHA_NOTIFY_LANGUAGE is "de"/],
    [{ DACHA_TELEGRAM_TOKEN: '1:secretsecretsecretsecret' }, /belong together/],
    [{ DACHA_TELEGRAM_CHAT: '7' }, /belong together/],
    [{ DACHA_TELEGRAM_TOKEN: 'secret', DACHA_TELEGRAM_CHAT: '7' }, /is no token of a bot/],
    [{ DACHA_NTFY_TOPIC: 'https://ntfy.test/' }, /address of one topic/],
    [{ DACHA_NTFY_TOPIC: 'https://ntfy.test/a/b' }, /address of one topic/],
    [{ DACHA_NTFY_TOKEN: 'secret' }, /no effect without DACHA_NTFY_TOPIC/],
    [{ DACHA_NOTIFY_WEBHOOK: 'nonsense?token=secret' }, /DACHA_NOTIFY_WEBHOOK is not an http/],
  ] as const)
    assert.throws(
      () => readSettings({ ...storage, ...wrong }),
      (error: Error) => {
        assert.match(error.message, sentence);
        assert.ok(!error.message.includes('secret'));
        return true;
      },
    );
});
