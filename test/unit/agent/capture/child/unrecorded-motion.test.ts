import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUnrecordedMotion } from '../../../../../agent/capture/child/unrecorded-motion.ts';

function motion() {
  let now = 0;
  const unrecorded = createUnrecordedMotion({ monotonicMs: () => now });
  return { unrecorded, at: (ms: number) => (now = ms) };
}

test('motion that no clip holds is counted from its first moment, also when it rests for a while', () => {
  const it = motion();
  assert.equal(it.unrecorded.ms(), null);
  it.unrecorded.moved(it.at(1_000));
  it.unrecorded.moved(it.at(11_000));
  it.at(21_000);
  assert.equal(it.unrecorded.ms(), 20_000);
  it.at(21_001);
  assert.equal(it.unrecorded.ms(), null);
});

test('motion after it was over, or after a clip held it, is counted anew', () => {
  const it = motion();
  it.unrecorded.moved(it.at(1_000));
  it.unrecorded.moved(it.at(11_001));
  assert.equal(it.unrecorded.ms(), 0);
  it.unrecorded.recorded();
  assert.equal(it.unrecorded.ms(), null);
  it.unrecorded.moved(it.at(12_000));
  it.at(12_500);
  assert.equal(it.unrecorded.ms(), 500);
});
