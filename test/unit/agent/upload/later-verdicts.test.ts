import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictBlobName, type Verdict } from '@dachawatch/contracts';
import { uploadNext, verdictFor } from '../ledger/bench.ts';
import { benchUpload, DEVICE, until } from './bench.ts';

const HOUR_MS = 3_600_000;

/** A clip that has its first verdict, which lies beside it too. */
function judged(bench: ReturnType<typeof benchUpload>, verdict: Verdict['verdict']) {
  const clip = bench.sealed();
  uploadNext(bench.ledger);
  const document = verdictBlobName(`${DEVICE}/${clip.blobName}`);
  const first = verdictFor(clip.clipId, 1, verdict);
  bench.store.put(document, JSON.stringify(first));
  bench.ledger.applyVerdict(first);
  return {
    revise: (to: Verdict['verdict']) =>
      bench.store.put(document, JSON.stringify(verdictFor(clip.clipId, 2, to))),
    now: () => bench.ledger.clip(clip.clipId)?.verdict?.verdict,
    /** Questions about it so far. */
    questions: () => bench.store.calls.filter((call) => call === `read ${document}`).length,
  };
}

test('a later verdict whose message was lost reaches the clip, whatever the first one was', async (t) => {
  const bench = benchUpload(t);
  const clips = (['undecided', 'nothing', 'animal', 'vehicle'] as const).map((one) => judged(bench, one));
  await bench.uploader.start();
  for (const clip of clips) clip.revise('person');
  await bench.clock.advance(2 * HOUR_MS);
  await until(() => clips.every((clip) => clip.now() === 'person'), 'a person in all of them');
});

test('the later verdict of an undecided clip is found hours afterwards, and nothing is asked about a person', async (t) => {
  const bench = benchUpload(t);
  const late = judged(bench, 'undecided');
  const person = judged(bench, 'person');
  await bench.uploader.start();
  await bench.clock.advance(4 * HOUR_MS);
  assert.equal(late.now(), 'undecided');
  late.revise('person');
  await bench.clock.advance(20 * HOUR_MS);
  await until(() => late.now() === 'person', 'a person');
  assert.equal(person.questions(), 0);
});

test('a clip is asked about four times in the day after its verdict, only once if something was decided, and never later', async (t) => {
  const bench = benchUpload(t);
  const [undecided, nothing] = [judged(bench, 'undecided'), judged(bench, 'nothing')];
  await bench.uploader.start();
  await bench.clock.advance(24 * HOUR_MS);
  assert.deepEqual([undecided.questions(), nothing.questions()], [4, 1]);
  await bench.clock.advance(48 * HOUR_MS);
  assert.deepEqual([undecided.questions(), nothing.questions()], [4, 1]);
  const again = benchUpload(t);
  const old = judged(again, 'undecided');
  await again.clock.advance(25 * HOUR_MS);
  await again.uploader.start();
  await again.clock.advance(24 * HOUR_MS);
  assert.equal(old.questions(), 0, 'a process that begins a day later does not begin to ask');
});

test('clips that wait for their first verdict do not keep the others from being asked about', async (t) => {
  const bench = benchUpload(t, { verdictsPerRound: 2, verdictAgain: { minMs: 1_000, maxMs: 1_000 } });
  const clip = judged(bench, 'undecided');
  for (let count = 0; count < 30; count += 1) {
    const waiting = bench.sealed();
    uploadNext(bench.ledger);
    bench.store.put(`${DEVICE}/${waiting.blobName}`, 'x', waiting.sha256!);
  }
  await bench.uploader.start();
  clip.revise('person');
  await bench.clock.advance(2 * HOUR_MS);
  await until(() => clip.now() === 'person', 'a person');
});
