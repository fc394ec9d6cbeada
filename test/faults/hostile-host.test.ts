/** The functions app on a host that does to it whatever the real one may, on a clock of its own. `scripts/bench hostile`
 *  plays many more seeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight, playSeeds } from '../../scripts/lib/bench/hostile/hostile.ts';

const FIRST = Number(process.env['FAULT_SEED'] ?? 1);
const SEEDS = 6;
const CLIPS = 6;

test('on a host that drops, delays, repeats and kills, every clip ends in one verdict and everybody is told once', async (t) => {
  const outcome = await playSeeds({ seeds: SEEDS, first: FIRST, clips: CLIPS }, () => undefined, t.signal);
  assert.deepEqual(outcome.findings, []);
  assert.ok(isRight(outcome));
  assert.ok(outcome.deaths > SEEDS, `the app was killed only ${outcome.deaths} times`);
  assert.ok(outcome.failed > 0, 'no orchestration failed, as they do on the real host');
});

test('what a hostile host does shows: without the keeper there are clips that nobody ends', async (t) => {
  const options = { seeds: 1, first: 2, clips: CLIPS, sabotage: 'no-keeper' } as const;
  const outcome = await playSeeds(options, () => undefined, t.signal);
  assert.ok(!isRight(outcome));
  assert.ok(outcome.noVerdict + outcome.unfinished > 0);
});
