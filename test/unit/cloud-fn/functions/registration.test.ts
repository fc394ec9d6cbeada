import assert from 'node:assert/strict';
import Module from 'node:module';
import { before, test } from 'node:test';

interface Registered {
  readonly name: string;
  readonly bindings: Readonly<Record<string, { readonly type: string } & Record<string, unknown>>>;
}
const registered = new Map<string, Registered>();
const hooks: string[] = [];

/** The module the real worker offers; without it the library skips every registration in silence. */
const core = {
  version: '3.13.0',
  hostVersion: '4.1044.400.0',
  log() {},
  setProgrammingModel() {},
  getProgrammingModel() {},
  registerFunction(metadata: Registered) {
    registered.set(metadata.name, metadata);
    return { dispose() {} };
  },
  registerHook(name: string) {
    hooks.push(name);
    return { dispose() {} };
  },
  Disposable: class {
    dispose() {}
  },
};

before(async () => {
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const load = loader._load;
  loader._load = (request, ...rest) =>
    request === '@azure/functions-core' ? core : load.call(Module, request, ...rest);
  await import('../../../../cloud-fn/functions/app.ts');
  loader._load = load;
});

test('loading the app registers every function under its name on the wire, and needs no settings', () => {
  assert.deepEqual([...registered.keys()].toSorted(), [
    'Escalate',
    'KeepClips',
    'OnVideoBlobCreated',
    'OnVideoProcessed',
    'PurgeHistories',
    'RecordPoison',
    'SendFailureNotification',
    'SendVideoComplited',
    'StartVideo',
    'clip-analysis',
    'find_result',
    'keep_picture',
    'send_processing_request',
    'send_verdict_to_device',
    'start_container',
    'store_verdict',
  ]);
  assert.deepEqual(hooks, ['appTerminate']);
});

test('triggers listen where the original system speaks, and no endpoint is open to everybody', () => {
  const bindingOf = (name: string, type: string) =>
    Object.values(registered.get(name)?.bindings ?? {}).find((binding) => binding.type === type);
  assert.equal(bindingOf('OnVideoProcessed', 'queueTrigger')?.['queueName'], 'video-processed');
  assert.equal(bindingOf('OnVideoProcessed', 'queueTrigger')?.['connection'], 'DACHA_STORAGE_CONNECTION');
  assert.ok(bindingOf('OnVideoBlobCreated', 'eventGridTrigger'));
  const http = bindingOf('StartVideo', 'httpTrigger');
  assert.equal(http?.['route'], 'orchestrators/video_orchestrator');
  assert.equal(http?.['authLevel'], 'function');
  assert.deepEqual(http?.['methods'], ['POST']);
  assert.equal(bindingOf('KeepClips', 'timerTrigger')?.['schedule'], '*/30 * * * * *');
  assert.equal(bindingOf('PurgeHistories', 'timerTrigger')?.['schedule'], '0 40 3 * * *');
  for (const name of ['OnVideoProcessed', 'OnVideoBlobCreated', 'StartVideo', 'KeepClips', 'PurgeHistories'])
    assert.ok(bindingOf(name, 'durableClient'), name);
});
