import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../../scripts/lib/bench/fuzz/fuzz.ts';

test('odd inputs to each address and queue are taken, refused or put aside with a reason, and disturb nothing else', async (t) => {
  const { findings, targets } = await fuzz(
    { inputs: 200, seed: 1 },
    (sentence) => t.diagnostic(sentence),
    t.signal,
  );
  assert.deepEqual(findings, []);
  assert.equal(Object.keys(targets).length, 21);
});
