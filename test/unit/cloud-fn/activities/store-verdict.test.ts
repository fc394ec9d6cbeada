import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { createStoreVerdict } from '../../../../cloud-fn/activities/store-verdict.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';
import { analysisInput, BLOB_NAME } from '../orchestrators/clip-samples.ts';
import { verdictOfClip } from './verdict-sample.ts';

const { clip } = analysisInput();
const log = { info: () => {}, warn: () => {} };
const CLIP = `dacha-video/${BLOB_NAME}`;
const VERDICT = CLIP.replace('.mp4', '.verdict.json');
const PICTURE = CLIP.replace('.mp4', '.best.jpg');
const FRAME = `${BLOB_NAME}/best.jpg`;

async function storageWithClip() {
  const storage = createFakeStorage();
  await storage.port.writeBlob(
    { container: 'dacha-video', name: BLOB_NAME },
    { bytes: 'clip', contentType: '' },
  );
  await storage.port.writeBlob(
    { container: 'detected-dacha-video', name: FRAME },
    { bytes: 'picture', contentType: '' },
  );
  return { storage, storeVerdict: createStoreVerdict({ storage: storage.port, log }) };
}

test('the verdict, the picture and the tags are beside the clip; a second time changes nothing', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  for (const _ of [1, 2]) {
    const stored = await storeVerdict({ clip, verdict: verdictOfClip(), frame: FRAME });
    assert.deepEqual(stored, verdictOfClip());
    assert.deepEqual(storage.document(VERDICT), verdictOfClip());
    assert.ok(storage.names().includes(PICTURE));
    assert.deepEqual(storage.tags(CLIP), { verdict: 'person', device_id: 'house-1', reviewed: 'false' });
  }
});

test('nothing is tagged safe', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  await storeVerdict({ clip, verdict: verdictOfClip({ verdict: 'nothing', decision: 'marked-safe' }) });
  assert.equal(storage.tags(CLIP)?.['verdict'], 'safe');
});

test('a higher revision replaces a stored verdict, a lower or the same one never does', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  const second = verdictOfClip({ revision: 2, reason: 'late' });
  await storeVerdict({ clip, verdict: verdictOfClip() });
  assert.deepEqual((await storeVerdict({ clip, verdict: second })).reason, 'late');
  for (const revision of [1, 2])
    assert.deepEqual(
      (await storeVerdict({ clip, verdict: verdictOfClip({ revision, reason: 'other' }) })).reason,
      'late',
    );
  assert.equal((storage.document(VERDICT) as Verdict).revision, 2);
});

test('of two who store at once the higher revision stays', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  await Promise.all(
    [1, 2, 3].map((revision) => storeVerdict({ clip, verdict: verdictOfClip({ revision }) })),
  );
  assert.equal((storage.document(VERDICT) as Verdict).revision, 3);
});

test('a picture that is not there leaves the verdict without one', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  const stored = await storeVerdict({ clip, verdict: verdictOfClip(), frame: 'elsewhere.jpg' });
  assert.equal(stored.best_frame, undefined);
  assert.ok(!storage.names().includes(PICTURE));
});

test('a clip that is gone does not stand in the way of its verdict', async () => {
  const storage = createFakeStorage();
  await createStoreVerdict({ storage: storage.port, log })({ clip, verdict: verdictOfClip() });
  assert.deepEqual(storage.names(), [VERDICT]);
});

test('tags of others stay, and what a person reviewed is open again when the verdict changes', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  await storage.port.writeTags(
    { container: 'dacha-video', name: BLOB_NAME },
    { verdict: 'person', reviewed: 'true', keep: 'yes' },
  );
  await storeVerdict({ clip, verdict: verdictOfClip() });
  assert.deepEqual(storage.tags(CLIP), {
    verdict: 'person',
    reviewed: 'true',
    keep: 'yes',
    device_id: 'house-1',
  });
  await storeVerdict({ clip, verdict: verdictOfClip({ revision: 2, verdict: 'animal' }) });
  assert.equal(storage.tags(CLIP)?.['reviewed'], 'false');
});

test('neither a picture nor a tag that cannot be written keeps a verdict from being stored', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  storage.fail = (operation, place) => {
    if (operation === 'writeTags' || operation === 'readTags' || place.name.endsWith('.jpg'))
      if (operation !== 'hasBlob') throw new Error('refused');
  };
  const stored = await storeVerdict({ clip, verdict: verdictOfClip(), frame: FRAME });
  assert.equal(stored.best_frame, undefined, 'a picture is named only when it is there');
  assert.equal((storage.document(VERDICT) as Verdict).verdict, 'person');
});

test('a later revision keeps the picture that lies beside the clip', async () => {
  const { storage, storeVerdict } = await storageWithClip();
  await storeVerdict({ clip, verdict: verdictOfClip(), frame: FRAME });
  const second = await storeVerdict({ clip, verdict: verdictOfClip({ revision: 2 }) });
  assert.deepEqual(second.best_frame, verdictOfClip().best_frame);
  assert.deepEqual(storage.document(VERDICT), second);
});
