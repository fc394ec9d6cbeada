import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  startOnce,
  StartInProgress,
  STARTER_AT_WORK_MS,
} from '../../../../../cloud-fn/functions/instances/start-once.ts';
import { createFakeStorage } from '../../../../fakes/cloud/storage-port.ts';
import { analysisInput } from '../../orchestrators/clip-samples.ts';
import { createFakeClient } from '../fake-client.ts';

const ID = 'clip-0123456789abcdef0123456789abcdef';

function scene() {
  const storage = createFakeStorage();
  const client = createFakeClient();
  const start = () => startOnce({ storage: storage.port }, client, ID, analysisInput());
  return { storage, client, start };
}

test('the same clip is started once, however often it is announced', async () => {
  const { client, start } = scene();
  assert.equal(await start(), 'started');
  assert.equal(await start(), 'already-started');
  assert.deepEqual(client.started, [{ instanceId: ID, input: analysisInput() }]);
});

test('a finished instance is never started again, not even when its history has been purged', async () => {
  const { storage, client, start } = scene();
  await start();
  client.set(ID, 'Completed');
  assert.equal(await start(), 'already-started');
  const purged = createFakeClient();
  assert.equal(await startOnce({ storage: storage.port }, purged, ID, analysisInput()), 'already-started');
  assert.deepEqual([client.started.length, purged.started.length], [1, 0]);
});

test('of announcements that arrive together one starts, the others come again and find it started', async () => {
  const { client, start } = scene();
  const outcomes = await Promise.allSettled([start(), start(), start()]);
  assert.equal(client.started.length, 1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') assert.match(String(outcome.reason), /StartInProgress/);
  assert.equal(await start(), 'already-started');
});

test('a starter that was killed after its marker is replaced, once it cannot be at work any more', async () => {
  const { storage, client, start } = scene();
  client.beforeStart = async () => {
    throw new Error('killed');
  };
  await assert.rejects(start(), /killed/);
  client.beforeStart = async () => {};
  await assert.rejects(start(), /being started by somebody else/);
  storage.nowMs += STARTER_AT_WORK_MS;
  assert.equal(await start(), 'started');
  assert.equal(client.started.length, 1);
});

test('a starter killed between the start and its note changes nothing', async () => {
  const { storage, client, start } = scene();
  storage.fail = (operation) => {
    if (operation === 'writeBlob') throw new Error('killed');
  };
  await assert.rejects(start(), /killed/);
  storage.fail = () => {};
  storage.nowMs += STARTER_AT_WORK_MS;
  assert.equal(await start(), 'already-started');
  assert.equal(client.started.length, 1);
});

test('a refused start of an instance that runs counts as started; any other refusal is an error', async () => {
  const { client, start } = scene();
  client.beforeStart = async () => client.set(ID, 'Running');
  assert.equal(await start(), 'already-started');
  const other = scene();
  other.client.beforeStart = async () => {
    throw new Error('The operation failed with an unexpected status code: 500.');
  };
  await assert.rejects(other.start(), /500/);
});

test('of those who take over from a starter that was killed one starts, the others come again', async () => {
  const { storage, client, start } = scene();
  client.beforeStart = async () => {
    throw new Error('killed');
  };
  await assert.rejects(start(), /killed/);
  let asked = 0;
  client.beforeStart = async () => {
    asked += 1;
  };
  storage.nowMs += STARTER_AT_WORK_MS;
  const outcomes = await Promise.allSettled([start(), start(), start()]);
  assert.equal(asked, 1, 'the runtime is asked once: it would replace what has finished meanwhile');
  assert.deepEqual(
    outcomes.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).name)).toSorted(),
    ['StartInProgress', 'StartInProgress', 'started'],
  );
});

test('a starter has ten seconds', async () => {
  const { storage, client, start } = scene();
  client.beforeStart = async () => {
    throw new Error('killed');
  };
  await assert.rejects(start(), /killed/);
  client.beforeStart = async () => {};
  storage.nowMs += 9_999;
  await assert.rejects(start(), StartInProgress);
  storage.nowMs += 1;
  assert.equal(await start(), 'started');
});

test('a note that is no document is treated as a start that may be at work', async () => {
  const { storage, client, start } = scene();
  for (const bytes of ['nonsense', '', '7']) {
    await storage.port.writeBlob(
      { container: 'dacha-instances', name: `${ID}/start.json` },
      { bytes, contentType: '' },
    );
    await assert.rejects(start(), StartInProgress, bytes);
  }
  assert.deepEqual(client.started, []);
});

test('the note says what was started, and that it was', async () => {
  const { storage, client, start } = scene();
  const notes: unknown[] = [];
  client.beforeStart = async () => void notes.push(storage.document(`dacha-instances/${ID}/start.json`));
  await start();
  assert.deepEqual(notes, [{ state: 'starting', input: analysisInput() }]);
  assert.deepEqual(storage.document(`dacha-instances/${ID}/start.json`), {
    state: 'started',
    input: analysisInput(),
  });
});

test('a runtime that cannot be asked starts nothing', async () => {
  const { storage, client } = scene();
  const down = {
    ...client,
    getStatus: () => Promise.reject(new Error('Durable Functions extension replied with HTTP 503 response.')),
  };
  await assert.rejects(startOnce({ storage: storage.port }, down, ID, analysisInput()), /503/);
  assert.deepEqual([client.started, storage.names()], [[], []]);
});
