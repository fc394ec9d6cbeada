import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchLedger, writeClip } from '../bench.ts';

const DAY_MS = 86_400_000;

test('how much a camera has recorded counts its own clips between two moments, also after a restart', async (t) => {
  const bench = benchLedger(t);
  const record = (cameraId: string, durationMs: number, triggeredMs = bench.clock.nowMs()) => {
    const clip = bench.ledger.openClip({ cameraId, triggeredMs, clockQuality: 'synchronised' });
    bench.ledger.sealClip(clip.clipId, { ...writeClip(clip.partFile, 1_000), durationMs });
  };
  const ofLastDay = (cameraId: string) => {
    const toMs = bench.clock.nowMs();
    return bench.ledger.recordedMs({ cameraId, fromMs: toMs - DAY_MS, toMs });
  };
  record('gate', 50_000);
  await bench.clock.advance(DAY_MS - 1_000);
  record('gate', 35_000);
  record('yard', 7_000);
  bench.open('gate');
  assert.deepEqual([ofLastDay('gate'), ofLastDay('yard'), ofLastDay('pond')], [85_000, 7_000, 0]);
  await bench.clock.advance(2_000);
  assert.equal(ofLastDay('gate'), 35_000, 'the first one is older than a day');
  bench.reopen();
  assert.equal(ofLastDay('gate'), 35_000);
  // A clock that was a year ahead, and has been set back since.
  record('gate', 90_000, bench.clock.nowMs() + 365 * DAY_MS);
  record('gate', 1_000);
  assert.equal(ofLastDay('gate'), 36_000);
});
