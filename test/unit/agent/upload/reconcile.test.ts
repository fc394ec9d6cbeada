import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { askBlobName, bestFrameBlobName, verdictBlobName } from '@dachawatch/contracts';
import { uploadNext, verdictFor } from '../ledger/bench.ts';
import { benchUpload, DEVICE, until } from './bench.ts';

const VERDICT_AFTER_MS = 7 * 60_000;
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);

test('a verdict whose message never came is read beside the blob', async (t) => {
  const { ledger, clock, sealed, uploader, store, hub } = benchUpload(t);
  await uploader.start();
  const clip = sealed();
  uploadNext(ledger);
  store.put(verdictBlobName(`${DEVICE}/${clip.blobName}`), JSON.stringify(verdictFor(clip.clipId)));
  await clock.advance(VERDICT_AFTER_MS - 60_000);
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded', 'too early to ask');
  await clock.advance(240_000);
  await until(() => ledger.clip(clip.clipId)?.state === 'judged', 'judged');
  assert.deepEqual(hub.open(), []);
  assert.ok(
    hub.returned.every((one) => !one.isSuccess),
    'looking raises no file notification',
  );
});

test('when the link comes back it asks for verdicts at once', async (t) => {
  const { ledger, clock, sealed, uploader, store, link } = benchUpload(t);
  const clip = sealed();
  uploadNext(ledger);
  store.put(verdictBlobName(`${DEVICE}/${clip.blobName}`), JSON.stringify(verdictFor(clip.clipId)));
  link.online = false;
  await uploader.start();
  await clock.advance(60_000);
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded');
  link.online = true;
  uploader.wake();
  await until(() => ledger.clip(clip.clipId)?.state === 'judged', 'judged');
});

test('a clip that is in storage without a verdict waits, and is asked for less and less often', async (t) => {
  const { ledger, clock, sealed, uploader, store, hub } = benchUpload(t);
  const clip = sealed();
  uploadNext(ledger);
  store.put(`${DEVICE}/${clip.blobName}`, 'x', clip.sha256!);
  await uploader.start();
  await clock.advance(24 * 3_600_000);
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded');
  assert.ok(hub.asked.length >= 40 && hub.asked.length <= 80, `${hub.asked.length} tickets in a day`);
});

test('a clip that stays without a verdict is asked about again by itself: after some twenty minutes, then every six hours', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed();
  const quick = sealed();
  for (const _ of [clip, quick]) uploadNext(ledger);
  const name = (blobName: string) => `${DEVICE}/${blobName}`;
  store.put(name(clip.blobName), 'x', clip.sha256!);
  store.put(name(quick.blobName), 'x', quick.sha256!);
  const asked = (blobName: string) =>
    store.calls.filter((call) => call === `write ${name(askBlobName(blobName))}`).length;
  await uploader.start();
  await clock.advance(2 * VERDICT_AFTER_MS);
  store.put(verdictBlobName(name(quick.blobName)), JSON.stringify(verdictFor(quick.clipId)));
  assert.equal(asked(clip.blobName), 0, 'too early');
  await clock.advance(3_600_000);
  assert.equal(asked(clip.blobName), 1);
  assert.equal(store.blobs.get(name(askBlobName(clip.blobName)))?.body.toString(), '{}');
  await clock.advance(24 * 3_600_000);
  assert.ok(asked(clip.blobName) >= 3 && asked(clip.blobName) <= 7, `${asked(clip.blobName)} in a day`);
  assert.equal(asked(quick.blobName), 0, 'what is judged is not asked about');
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded');
});

test('a clip whose blob is gone is uploaded again, and custody tells', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed();
  uploadNext(ledger);
  await uploader.start();
  await clock.advance(2 * VERDICT_AFTER_MS);
  await until(() => store.blobs.has(`${DEVICE}/${clip.blobName}`), 'uploaded again');
  assert.ok(ledger.custody(clip.clipId).some((entry) => entry.event === 'requeue'));
});

test('a verdict that is not of this clip, or not a verdict, is not applied', async (t) => {
  const { ledger, clock, sealed, uploader, store, lines } = benchUpload(t);
  const clips = [sealed(), sealed()];
  for (const [i, clip] of clips.entries()) {
    uploadNext(ledger);
    const body = i === 0 ? '{"verdict":"person"}' : JSON.stringify(verdictFor(clips[0]!.clipId));
    store.put(verdictBlobName(`${DEVICE}/${clip.blobName}`), body);
  }
  await uploader.start();
  await clock.advance(2 * VERDICT_AFTER_MS);
  assert.deepEqual(
    clips.map((clip) => ledger.clip(clip.clipId)?.state),
    ['uploaded', 'uploaded'],
  );
  assert.match(lines.join('\n'), /upload\.verdict-unreadable/);
  assert.match(lines.join('\n'), /upload\.verdict-of-other/);
});

function judgedWithFrame(bench: ReturnType<typeof benchUpload>) {
  const clip = bench.sealed();
  uploadNext(bench.ledger);
  bench.ledger.applyVerdict({
    ...verdictFor(clip.clipId),
    best_frame: { blobName: 'unused', at_ms: 1, boxes: [] },
  });
  return clip;
}

test('a best frame is fetched once, whoever asks, and kept', async (t) => {
  const bench = benchUpload(t);
  const clip = judgedWithFrame(bench);
  bench.store.put(bestFrameBlobName(`${DEVICE}/${clip.blobName}`), JPEG);
  const files = await Promise.all([1, 2, 3].map(() => bench.uploader.bestFrame(clip.clipId)));
  files.push(await bench.uploader.bestFrame(clip.clipId));
  assert.equal(new Set(files).size, 1);
  assert.ok(existsSync(files[0]!));
  assert.equal(bench.hub.asked.length, 1);
  assert.equal(bench.hub.returned[0]?.isSuccess, false);
});

test('there is no best frame of an unknown clip, of one without a verdict, and while offline', async (t) => {
  const bench = benchUpload(t);
  const { uploader, link, hub } = bench;
  assert.equal(await uploader.bestFrame('../../etc/passwd'), undefined);
  assert.equal(await uploader.bestFrame(bench.sealed().clipId), undefined);
  link.online = false;
  bench.ledger.loseClip(bench.ledger.clips({ limit: 1 })[0]!.clipId, 'test');
  assert.equal(await uploader.bestFrame(judgedWithFrame(bench).clipId), undefined);
  assert.deepEqual(hub.asked, []);
});

test('a best frame that cannot be had is not asked for again at once', async (t) => {
  const bench = benchUpload(t);
  const clip = judgedWithFrame(bench);
  assert.equal(await bench.uploader.bestFrame(clip.clipId), undefined);
  assert.equal(await bench.uploader.bestFrame(clip.clipId), undefined);
  assert.equal(bench.hub.asked.length, 1);
  bench.store.put(bestFrameBlobName(`${DEVICE}/${clip.blobName}`), 'this is no picture');
  await bench.clock.advance(31_000);
  assert.equal(await bench.uploader.bestFrame(clip.clipId), undefined);
  bench.store.put(bestFrameBlobName(`${DEVICE}/${clip.blobName}`), JPEG);
  await bench.clock.advance(31_000);
  assert.ok(await bench.uploader.bestFrame(clip.clipId));
});

test('the folder of frames stays bounded, and many pages at once hold few tickets', async (t) => {
  const bench = benchUpload(t, { framesKept: 3 });
  const clips = Array.from({ length: 8 }, () => judgedWithFrame(bench));
  for (const clip of clips) bench.store.put(bestFrameBlobName(`${DEVICE}/${clip.blobName}`), JPEG);
  let most = 0;
  bench.store.fault = () => {
    most = Math.max(most, bench.hub.open().length);
  };
  await Promise.all(clips.map((clip) => bench.uploader.bestFrame(clip.clipId)));
  assert.ok(most <= 4, `${most} tickets at once`);
  assert.equal(readdirSync(bench.framesDir).length, 3);
});
