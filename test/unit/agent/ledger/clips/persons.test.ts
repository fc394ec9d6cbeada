import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClipNews } from '../../../../../agent/health/clip-news.ts';
import { benchLedger, uploadNext, verdictFor } from '../bench.ts';

const HOUR_MS = 3_600_000;

test('clips with a person are news by the time of their verdict, newest first, and nothing else is', async (t) => {
  const { ledger, sealed, clock } = benchLedger(t);
  const judge = (verdict: 'person' | 'nothing', camera: string) => {
    sealed(1_000, camera);
    const { clipId } = uploadNext(ledger);
    ledger.applyVerdict(verdictFor(clipId, 1, verdict));
    return clipId;
  };
  judge('person', 'yard');
  await clock.advance(13 * HOUR_MS);
  const first = judge('person', 'gate');
  judge('nothing', 'gate');
  const last = judge('person', 'barn');
  assert.deepEqual(
    ledger.judgedPersons(clock.nowMs() - 12 * HOUR_MS).map(({ clipId }) => clipId),
    [last, first],
  );
  const { persons } = readClipNews(ledger, clock.nowMs());
  assert.equal(persons?.count, 2);
  assert.deepEqual(persons.cameraIds.toSorted(), ['barn', 'gate']);
});

test('a person in a clip of days ago is news when its verdict comes now', async (t) => {
  const { ledger, sealed, clock } = benchLedger(t);
  sealed(1_000, 'yard');
  const { clipId } = uploadNext(ledger);
  await clock.advance(72 * HOUR_MS);
  ledger.applyVerdict(verdictFor(clipId));
  assert.equal(readClipNews(ledger, clock.nowMs()).persons?.count, 1);
});

test('a verdict is overdue half an hour after the upload, and not before', async (t) => {
  const { ledger, sealed, clock } = benchLedger(t);
  sealed(1_000, 'yard');
  uploadNext(ledger);
  await clock.advance(HOUR_MS / 4);
  assert.equal(readClipNews(ledger, clock.nowMs()).overdueSinceMs, null);
  await clock.advance(HOUR_MS / 2);
  assert.equal(typeof readClipNews(ledger, clock.nowMs()).overdueSinceMs, 'number');
});
