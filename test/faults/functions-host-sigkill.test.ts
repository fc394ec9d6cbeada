/** Our functions host dies at many points of its work. `scripts/bench kills` tries many more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killAtPoints } from '../../scripts/lib/bench/kills/kills.ts';

const SEED = Number(process.env['FAULT_SEED'] ?? 20_261_121);
const KILLS = 8;

test('orchestrations survive kills at random moments: nothing is lost, every instance ends once', async (t) => {
  const outcome = await killAtPoints({ points: KILLS, seed: SEED }, () => undefined, t.signal);
  assert.deepEqual(outcome.findings, []);
  assert.deepEqual([outcome.right, outcome.instances], [3 * KILLS, 3 * KILLS]);
});
