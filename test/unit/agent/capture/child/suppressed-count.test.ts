import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SuppressionReason } from '@dachawatch/contracts';
import { MAX_KEY_DISTANCE_MS } from '../../../../../agent/capture/child/decoding/decoding-policy.ts';
import { createSuppressedCount } from '../../../../../agent/capture/child/suppressed-count.ts';

test('a reason that lasts counts once, and again after a pause', () => {
  const count = createSuppressedCount();
  const note = (reason: SuppressionReason, atMs: number) =>
    count.note({ kind: 'suppressed', reason, regions: [] }, atMs);
  for (let atMs = 0; atMs < 10_000; atMs += 200) note('too-small', atMs);
  note('lighting', 5000);
  note('too-small', 20_000);
  count.note({ kind: 'quiet' }, 20_200);
  assert.deepEqual(count.counts(), { 'too-small': 2, lighting: 1 });
});

test('a reason that is seen in each key picture only counts once, too', () => {
  const count = createSuppressedCount();
  for (let atMs = 0; atMs < 60_000; atMs += MAX_KEY_DISTANCE_MS)
    count.note({ kind: 'suppressed', reason: 'lighting', regions: [] }, atMs);
  assert.deepEqual(count.counts(), { lighting: 1 });
});

test('whoever counts is told which trigger is a new one', () => {
  const count = createSuppressedCount();
  const note = (reason: SuppressionReason, atMs: number) =>
    count.note({ kind: 'suppressed', reason, regions: [] }, atMs);
  assert.deepEqual(
    [note('in-place', 0), note('in-place', 200), note('zone-dwell', 400)],
    [true, false, true],
  );
  assert.equal(count.note({ kind: 'motion', regions: [], cause: { kind: 'picture' } }, 600), false);
  assert.equal(note('in-place', 5_000), true);
});
