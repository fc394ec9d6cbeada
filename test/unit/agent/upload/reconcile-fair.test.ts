import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictBlobName } from '@dachawatch/contracts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
import { uploadNext, verdictFor } from '../ledger/bench.ts';
import { benchUpload, DEVICE, passTime } from './bench.ts';

const EVERY_MS = 3 * 60_000;

/** So many clips that are in storage and have no verdict. */
function unjudged(t: Parameters<typeof benchUpload>[0], count: number, settings = {}) {
  const bench = benchUpload(t, settings);
  const clips: Clip[] = [];
  for (let i = 0; i < count; i++) {
    clips.push(bench.sealed(10));
    uploadNext(bench.ledger);
  }
  for (const clip of clips) bench.store.put(`${DEVICE}/${clip.blobName}`, 'x', clip.sha256!);
  const askedFor = () => new Set(bench.hub.asked.filter((name) => name.endsWith('.verdict.json')));
  const tell = (clip: Clip, body = JSON.stringify(verdictFor(clip.clipId))) =>
    bench.store.put(verdictBlobName(`${DEVICE}/${clip.blobName}`), body);
  return { ...bench, clips, askedFor, tell };
}

test('every clip is asked for in turn, also when many hundreds wait', async (t) => {
  const { clock, uploader, clips, askedFor } = unjudged(t, 450, { verdictsPerRound: 30 });
  await uploader.start();
  await clock.advance(EVERY_MS);
  const rounds = 450 / 15 + 10;
  await clock.advance(rounds * EVERY_MS);
  assert.equal(askedFor().size, clips.length);
});

test('the newest clip gets its turn in the first round, however many old ones wait', async (t) => {
  const { ledger, clock, uploader, clips, tell } = unjudged(t, 300);
  const newest = clips.at(-1)!;
  tell(newest);
  await clock.advance(10 * 60_000);
  await uploader.start();
  await clock.advance(30_000);
  assert.equal(ledger.clip(newest.clipId)?.state, 'judged');
});

test('no round asks for more clips than it may', async (t) => {
  const { clock, uploader, hub } = unjudged(t, 100, { verdictsPerRound: 8 });
  await clock.advance(10 * 60_000);
  await uploader.start();
  await clock.advance(30_000);
  assert.ok(hub.asked.length <= 16, `${hub.asked.length} tickets in the first round`);
  assert.ok(hub.asked.length >= 8);
});

test('a clip whose question always fails keeps no other from its answer', async (t) => {
  const { ledger, clock, uploader, store, clips, tell } = unjudged(t, 20);
  for (const clip of clips) tell(clip);
  const bad = new Set([clips[0], clips[1], clips[2], clips[3], clips[19], clips[18], clips[17]]);
  store.fault = (call, name) => {
    if (call === 'read' && [...bad].some((clip) => name.includes(clip!.clipId)))
      throw new Failure('transient', 'upload.read.odd', 'no answer for this one');
  };
  await uploader.start();
  const others = clips.filter((clip) => !bad.has(clip));
  await passTime(
    clock,
    EVERY_MS,
    () => others.every(({ clipId }) => ledger.clip(clipId)?.state === 'judged'),
    'the others are judged',
  );
});

test('a link that answers nothing ends the round after three questions', async (t) => {
  const { clock, uploader, hub, store } = unjudged(t, 40);
  store.fault = () => {
    throw new Failure('transient', 'upload.read.econnreset', 'connection reset');
  };
  await clock.advance(10 * 60_000);
  await uploader.start();
  await clock.advance(30_000);
  assert.equal(hub.asked.length, 3);
});

test('a verdict document that cannot be used stands in custody once, is asked for slowly, and stops nothing', async (t) => {
  const { ledger, clock, uploader, clips, tell, hub } = unjudged(t, 6);
  tell(clips[0]!, JSON.stringify({ ...verdictFor(clips[0]!.clipId), revision: 1e300 }));
  tell(clips[1]!, '['.repeat(100_000));
  tell(clips[2]!, '<html>log in</html>');
  tell(clips[3]!, JSON.stringify(verdictFor(clips[4]!.clipId)));
  tell(clips[4]!);
  tell(clips[5]!);
  await uploader.start();
  await clock.advance(12 * 3_600_000);
  for (const clip of clips.slice(0, 4)) {
    assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded');
    const notes = ledger.custody(clip.clipId).filter(({ event }) => event === 'verdict-refused');
    assert.equal(notes.length, 1);
    assert.ok((notes[0]?.detail ?? '').length > 10);
    const asked = hub.asked.filter((name) => name.includes(clip.clipId)).length;
    assert.ok(asked >= 5 && asked <= 40, `asked for ${asked} times in twelve hours`);
  }
  for (const clip of clips.slice(4)) assert.equal(ledger.clip(clip.clipId)?.state, 'judged');
  tell(clips[0]!);
  await clock.advance(2 * 3_600_000);
  assert.equal(ledger.clip(clips[0]!.clipId)?.state, 'judged', 'mended in storage, it is read');
});

test('a verdict that comes while storage is asked about its blob is no end of the uploader', async (t) => {
  const { ledger, clock, uploader, store, clips } = unjudged(t, 2);
  const [gone, other] = clips as [Clip, Clip];
  store.blobs.clear();
  store.fault = (call, name) => {
    if (call === 'head' && name.includes(gone.clipId)) ledger.applyVerdict(verdictFor(gone.clipId));
  };
  await uploader.start();
  await clock.advance(30 * 60_000);
  assert.equal(ledger.clip(gone.clipId)?.state, 'judged');
  assert.ok(ledger.custody(other.clipId).some(({ event }) => event === 'requeue'));
});
