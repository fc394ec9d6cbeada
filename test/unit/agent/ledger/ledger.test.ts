import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { benchLedger, uploadNext, verdictFor, writeClip } from './bench.ts';

const failsWith = (kind: string, code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind && error.code === code;

test('a clip goes from trigger to verdict, and its custody tells every step', (t) => {
  const { ledger, open } = benchLedger(t);
  const opened = open();
  assert.equal(opened.state, 'recording');
  assert.match(opened.blobName, /^gate\/2026\/06\/01\/[0-9A-Z]{26}\.mp4$/);
  const sealed = ledger.sealClip(opened.clipId, writeClip(opened.partFile, 5_000));
  assert.equal(sealed.state, 'sealed');
  assert.ok(existsSync(sealed.file) && !existsSync(sealed.partFile));
  uploadNext(ledger);
  assert.equal(ledger.applyVerdict(verdictFor(opened.clipId)), 'applied');
  assert.equal(ledger.clip(opened.clipId)?.state, 'judged');
  assert.equal(ledger.clip(opened.clipId)?.verdict?.verdict, 'person');
  assert.deepEqual(
    ledger.custody(opened.clipId).map((entry) => entry.event),
    ['open', 'seal', 'lease', 'upload', 'judge'],
  );
});

test('custody tells what triggered the clip, when that is known', (t) => {
  const { ledger, clock, open } = benchLedger(t);
  const request = { cameraId: 'gate', triggeredMs: clock.nowMs(), clockQuality: 'synchronised' } as const;
  const named = ledger.openClip({ ...request, detail: 'triggered by zone drive' });
  assert.equal(ledger.custody(named.clipId)[0]?.detail, 'triggered by zone drive');
  assert.equal(ledger.custody(open().clipId)[0]?.detail, null);
});

test('clip ids grow although the clock is set back a year', (t) => {
  const { clock, sealed } = benchLedger(t);
  const first = sealed().clipId;
  clock.setWall(clock.nowMs() - 365 * 86_400_000);
  const second = sealed().clipId;
  const third = sealed().clipId;
  assert.ok(first < second && second < third);
});

test('sealing refuses a file that is not what its writer says', (t) => {
  const { ledger, open } = benchLedger(t);
  const clip = open();
  const written = writeClip(clip.partFile, 100);
  assert.throws(
    () => ledger.sealClip(clip.clipId, { ...written, bytes: 101 }),
    failsWith('corrupt', 'ledger.seal-size'),
  );
  assert.equal(ledger.clip(clip.clipId)?.state, 'recording');
});

test('sealing twice changes nothing', (t) => {
  const { ledger, open } = benchLedger(t);
  const clip = open();
  const written = writeClip(clip.partFile, 100);
  ledger.sealClip(clip.clipId, written);
  ledger.sealClip(clip.clipId, written);
  assert.equal(ledger.custody(clip.clipId).length, 2);
});

test('a camera name that is a path is refused', (t) => {
  const { ledger } = benchLedger(t);
  for (const cameraId of ['../x', 'a/b', '', '.'])
    assert.throws(
      () => ledger.openClip({ cameraId, triggeredMs: 0, clockQuality: 'synchronised' }),
      failsWith('bug', 'ledger.camera-id'),
    );
});

test('a lost clip keeps its row and its reason, and its file is gone', (t) => {
  const { ledger, open } = benchLedger(t);
  const clip = open();
  writeClip(clip.partFile, 100);
  ledger.loseClip(clip.clipId, 'the camera went away');
  assert.equal(ledger.clip(clip.clipId)?.reason, 'the camera went away');
  assert.ok(!existsSync(clip.partFile));
  assert.throws(() => ledger.loseClip(clip.clipId, 'again'), failsWith('bug', 'ledger.move'));
});

test('a second owner is refused, and the ledger is free when the first one closes', (t) => {
  const bench = benchLedger(t);
  assert.throws(() => benchAgain(), failsWith('transient', 'ledger.in-use'));
  bench.reopen();

  function benchAgain() {
    const first = bench.ledger;
    bench.ledger = { ...first, close: () => undefined };
    try {
      bench.reopen();
    } finally {
      bench.ledger = first;
    }
  }
});

test('the list is newest first and can be paged', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const ids = [sealed(), sealed(), sealed()].map((clip) => clip.clipId).toReversed();
  assert.deepEqual(
    ledger.clips({ limit: 2 }).map((clip) => clip.clipId),
    ids.slice(0, 2),
  );
  assert.deepEqual(
    ledger.clips({ limit: 2, beforeClipId: ids[1]! }).map((clip) => clip.clipId),
    ids.slice(2),
  );
});

test('the summary counts what waits and what is on disk', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const first = sealed(1_000);
  sealed(2_000);
  assert.deepEqual(ledger.summary(), {
    clips: 2,
    waiting: 2,
    awaitingVerdict: 0,
    bytes: 3_000,
    bytesOnlyHere: 3_000,
    oldestWaitingMs: first.triggeredMs,
    outgoing: 2,
    eventsDropped: 0,
  });
  uploadNext(ledger);
  assert.equal(ledger.summary().waiting, 1);
  assert.equal(ledger.summary().awaitingVerdict, 1);
});

test('a clip whose blob vanished is uploaded again; when its file is gone too it is lost with both reasons', async (t) => {
  const { ledger, sealed } = benchLedger(t, { maxBytes: 40_000 });
  const clip = sealed(1_000);
  uploadNext(ledger);
  await ledger.returnToQueue(clip.clipId, 'the blob is gone');
  assert.equal(ledger.clip(clip.clipId)?.state, 'sealed');
  uploadNext(ledger);
  for (let i = 0; i < 40; i++) {
    sealed(9_000);
    uploadNext(ledger);
  }
  assert.ok(!existsSync(clip.file), 'the budget has removed the oldest file');
  await ledger.returnToQueue(clip.clipId, 'the blob is gone');
  const after = ledger.clip(clip.clipId);
  assert.equal(after?.state, 'lost');
  assert.match(after.reason ?? '', /the blob is gone; the file on this disk had been removed/);
});

test('clips without a verdict are asked for by age, also after the clock was set back', (t) => {
  const { ledger, clock, sealed } = benchLedger(t);
  const clip = sealed();
  uploadNext(ledger);
  assert.deepEqual(ledger.awaitingVerdict(60_000, 10), []);
  clock.setWall(clock.nowMs() + 61_000);
  assert.equal(ledger.awaitingVerdict(60_000, 10)[0]?.clipId, clip.clipId);
  clock.setWall(clock.nowMs() - 365 * 86_400_000);
  assert.equal(ledger.awaitingVerdict(60_000, 10)[0]?.clipId, clip.clipId);
});
