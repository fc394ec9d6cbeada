import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStoreNotedVerdict } from '../../../../cloud-fn/functions/store-noted-verdict.ts';
import { openClipPlace } from '../../../../cloud-fn/ports/instance-places.ts';
import { openClip } from '../../../../cloud-fn/keeper/open-clips.ts';
import { verdictOfClip } from '../activities/verdict-sample.ts';
import { BLOB_NAME } from '../orchestrators/clip-samples.ts';
import { clip, houseOfOneClip, ID, NOTE, waitMs } from '../keeper/house-of-one-clip.ts';

const VERDICT = `dacha-video/${BLOB_NAME.replace('.mp4', '.verdict.json')}`;

function scene() {
  const house = houseOfOneClip();
  const store = createStoreNotedVerdict({
    storage: house.storage.port,
    log: { info: () => {}, warn: () => {} },
    settings: { analysisWaitMs: waitMs },
  });
  const escalated = verdictOfClip({ verdict: 'undecided', decision: 'escalated', confidence: 0 });
  return { house, store: () => store({ clip, verdict: escalated }) };
}

test('a clip whose analysis began before clips were noted: the keeper tells of its verdict, if nobody else could', async () => {
  const { house, store } = scene();
  // As its orchestration did: started by hand, nothing noted; its notification failed, and it has ended.
  house.runtime.set(ID, 'Completed');
  await house.storage.port.writeBlob(
    { container: 'dacha-instances', name: `${ID}/start.json` },
    { bytes: JSON.stringify({ state: 'started' }), contentType: 'application/json' },
  );
  await store();
  await house.rounds(3);
  assert.deepEqual(
    house.told.map(({ kind }) => kind),
    ['no-answer'],
  );
  assert.equal(house.isOpen(), false);
});

test('the note of an open clip stays as it is when its verdict is stored, and comes first', async () => {
  const { house, store } = scene();
  await openClip(house.storage.port, ID, { clip, waitMs });
  const before = await house.storage.port.readBlob(openClipPlace(ID), 10_000);
  await store();
  assert.equal((await house.storage.port.readBlob(openClipPlace(ID), 10_000))?.etag, before?.etag);

  const fresh = scene();
  fresh.house.storage.fail = (operation, { name }) => {
    if (operation === 'createBlob' && name.endsWith('.verdict.json')) throw new Error('killed');
  };
  await assert.rejects(fresh.store(), /killed/);
  assert.deepEqual(
    [fresh.house.storage.names().includes(NOTE), fresh.house.storage.names().includes(VERDICT)],
    [true, false],
  );
});
