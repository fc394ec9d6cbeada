import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { verdictBlobName } from '@dachawatch/contracts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
import { verdictFor } from '../ledger/bench.ts';
import { benchUpload, DEVICE, passTime, until } from './bench.ts';

const HOUR_MS = 3_600_000;
const nameOf = ({ blobName }: Clip) => `${DEVICE}/${blobName}`;

/** A house whose answer to the commit is lost, and whose blobs a rule of the account archives at once. */
async function archivedAtOnce(t: Parameters<typeof benchUpload>[0], clips: number) {
  const bench = benchUpload(t);
  const sealed = Array.from({ length: clips }, () => bench.sealed(3_000));
  bench.store.fault = (call, name) => {
    const blob = call === 'head' && bench.store.blobs.get(name);
    if (!blob || blob.archived) return;
    bench.store.archive(name, true);
    throw new Failure('transient', 'upload.head.econnreset', 'the answer was lost');
  };
  await bench.uploader.start();
  return { ...bench, clips: sealed, stateOf: ({ clipId }: Clip) => bench.ledger.clip(clipId)?.state };
}

test('a clip that is found in the archive tier is uploaded when size, checksum and hash are those of its file', async (t) => {
  const { clips, clock, stateOf, ledger } = await archivedAtOnce(t, 4);
  await passTime(clock, 5_000, () => clips.every((clip) => stateOf(clip) === 'uploaded'), 'uploaded');
  for (const { clipId } of clips)
    assert.ok(!ledger.custody(clipId).some(({ event }) => event === 'park'), 'never refused');
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // closed since
    }
  });
  assert.ok(!clips.some(({ file }) => open.includes(file)), 'no file stays open');
});

for (const [what, md5] of [
  ['nothing', null],
  ['the hash of something else', 'd'.repeat(32)],
] as const)
  test(`a clip of which the archive tier shows size and checksum, and ${what} of its bytes, is parked, says so, and is uploaded when it can be read`, async (t) => {
    const { sealed, store, uploader, ledger, clock, conditions } = benchUpload(t);
    const clips = [sealed(), sealed(), sealed(), sealed()];
    for (const clip of clips)
      store.blobs.set(nameOf(clip), {
        body: readFileSync(clip.file),
        sha256: clip.sha256,
        md5,
        archived: true,
      });
    await uploader.start();
    const states = () => clips.map(({ clipId }) => ledger.clip(clipId)?.state);
    await passTime(clock, 5_000, () => states().every((state) => state === 'parked'), 'all are parked');
    assert.match(ledger.clip(clips[0]!.clipId)?.reason ?? '', /archive tier.*cannot be compared/);
    const told = () => conditions.list().find(({ code }) => code === 'clips-parked')?.detail ?? '';
    await passTime(clock, 5_000, () => /archive tier/.test(told()), 'told');
    const before = store.calls.length;
    await clock.advance(HOUR_MS / 2);
    assert.equal(store.calls.length, before, 'it is left alone');
    for (const clip of clips) store.archive(nameOf(clip), false);
    await passTime(clock, 60_000, () => states().every((state) => state === 'uploaded'), 'uploaded');
  });

test('a clip in the archive tier whose file is not what was sealed is parked for the archive, and not called changed', async (t) => {
  const { clips, clock, stateOf, ledger } = await archivedAtOnce(t, 1);
  const [clip] = clips as [Clip];
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'the answer was lost');
  writeFileSync(clip.file, Buffer.alloc(3_000, 'x'));
  await passTime(clock, 5_000, () => stateOf(clip) === 'parked', 'parked');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /archive tier/);
});

test('verdicts in the archive tier are noted once, and starve no other', async (t) => {
  const { sealed, store, uploader, ledger, clock } = benchUpload(t);
  const clips = Array.from({ length: 12 }, () => sealed());
  await uploader.start();
  await until(() => clips.every(({ clipId }) => ledger.clip(clipId)?.state === 'uploaded'), 'uploaded');
  for (const clip of clips) {
    const name = verdictBlobName(nameOf(clip));
    store.put(name, JSON.stringify(verdictFor(clip.clipId)));
    if (clip !== clips[5]) store.archive(name, true);
  }
  await passTime(clock, 60_000, () => ledger.clip(clips[5]!.clipId)?.state === 'judged', 'the one is judged');
  await clock.advance(5 * HOUR_MS);
  for (const { clipId } of clips)
    if (clipId !== clips[5]!.clipId) {
      const notes = ledger.custody(clipId).filter(({ event }) => event === 'verdict-refused');
      assert.equal(notes.length, 1);
      assert.match(notes[0]?.detail ?? '', /archive tier/);
    }
});
