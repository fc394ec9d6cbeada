import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceClip } from '../../../../cloud-fn/functions/announce-clip.ts';
import { clipInstanceId } from '../../../../cloud-fn/ports/instance-places.ts';
import { json } from '../../../../cloud-fn/ports/storage.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';
import { verdictOfClip } from '../activities/verdict-sample.ts';
import { analysisInput, BLOB_NAME, details, detection, result } from '../orchestrators/clip-samples.ts';
import { createFakeClient } from './fake-client.ts';

const { clip, waitMs } = analysisInput();
const ID = clipInstanceId(clip.blobName);
const UNDECIDED = { verdict: 'undecided', decision: 'escalated', confidence: 0 } as const;

function scene() {
  const storage = createFakeStorage();
  const client = Object.assign(createFakeClient(), { terminate: async () => {} });
  const announce = (byHand = false) =>
    announceClip({ storage: storage.port }, client, { clip, waitMs, byHand });
  const put = (name: string, value: unknown, container = 'dacha-video') =>
    storage.port.writeBlob({ container, name }, json(value));
  return {
    storage,
    client,
    announce,
    /** Its analysis was started, and has come so far. */
    begun: async (status: string, output: unknown = null) => {
      await announce();
      client.set(ID, status, { output });
    },
    verdict: (more: Parameters<typeof verdictOfClip>[0] = {}) =>
      put(BLOB_NAME.replace('.mp4', '.verdict.json'), verdictOfClip(more)),
    answer: () => put(`${ID}/result.json`, result(details([detection('person')])), 'dacha-instances'),
    startedIds: () => client.started.map(({ instanceId }) => instanceId),
  };
}

test('a clip is noted as open before it is started, so that a starter may die in between', async () => {
  const { storage, client, announce } = scene();
  client.beforeStart = async () => {
    assert.ok(storage.names().includes(`dacha-instances/open/${ID}.json`));
    throw new Error('killed');
  };
  await assert.rejects(announce(), /killed/);
  assert.ok(storage.names().includes(`dacha-instances/open/${ID}.json`));
});

for (const byHand of [false, true])
  test(`a clip without a verdict whose analysis ended is started anew by ${byHand ? 'hand' : 'a new event'}`, async () => {
    for (const ended of ['Failed', 'Terminated', 'Canceled']) {
      const { begun, announce, startedIds, client } = scene();
      await begun(ended);
      assert.deepEqual(await announce(byHand), { instanceId: `${ID}-r2`, outcome: 'started-again' });
      assert.deepEqual(startedIds(), [ID, `${ID}-r2`]);
      assert.deepEqual(client.started[1]?.input, analysisInput({ revision: 2 }));
      client.set(`${ID}-r2`, ended);
      assert.equal((await announce(byHand)).instanceId, `${ID}-r3`);
    }
  });

test('one that is being analysed, or only has to be judged, is not started anew', async () => {
  const live = scene();
  await live.begun('Running');
  assert.deepEqual(await live.announce(true), { instanceId: ID, outcome: 'already-started' });
  const answered = scene();
  await answered.begun('Failed');
  await answered.answer();
  assert.deepEqual(await answered.announce(), { instanceId: ID, outcome: 'already-started' });
});

test('a clip that nobody could judge is analysed again by hand, as the next revision, and not by an event that comes twice', async () => {
  const { begun, verdict, announce, client } = scene();
  await begun('Completed', { ok: false });
  await verdict({ ...UNDECIDED, revision: 3 });
  assert.equal((await announce()).outcome, 'already-started');
  assert.deepEqual(await announce(true), { instanceId: `${ID}-r4`, outcome: 'started-again' });
  assert.equal((client.started.at(-1)?.input as { revision: number } | undefined)?.revision, 4);
  assert.equal((await announce(true)).outcome, 'already-started', 'it is under way');
});

test('a clip that was judged is not analysed again, unless its orchestration is gone and a person asks', async () => {
  const { begun, verdict, announce } = scene();
  await begun('Completed', { ok: true });
  await verdict();
  for (const byHand of [false, true])
    assert.deepEqual(await announce(byHand), { instanceId: ID, outcome: 'already-started' });
  const purged = scene();
  await purged.begun('Completed', { ok: true });
  await purged.verdict();
  const gone = Object.assign(createFakeClient(), { terminate: async () => {} });
  const again = await announceClip({ storage: purged.storage.port }, gone, { clip, waitMs, byHand: true });
  assert.deepEqual(again, { instanceId: `${ID}-r2`, outcome: 'started-again' });
  assert.equal(gone.started.length, 1, 'the link that is answered leads to an instance');
});

test('of many who announce the same failed clip at once one starts it anew', async () => {
  const { begun, announce, startedIds } = scene();
  await begun('Failed');
  await Promise.allSettled([1, 2, 3].map(() => announce(true)));
  assert.deepEqual(startedIds(), [ID, `${ID}-r2`]);
});
