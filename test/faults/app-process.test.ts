/** The product's functions app in a process of its own, which dies again and again: real processes, real storage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storm } from '../../scripts/lib/bench/storm/storm.ts';

const CLIPS = 4;
const RIGHT = { right: CLIPS, noVerdict: 0, falselyNotified: 0, untold: 0, toldTwice: 0 };
/** Kills, drops, delivers twice and shows old statuses; it leaves timers alone and hides nothing, which takes minutes. */
const QUICK_SEED = 148;

const storming = (t: { signal: AbortSignal }, more: { kill?: 'worker'; hostile?: number }) =>
  storm(
    { clips: CLIPS, engine: 'ours', seed: 2, kill: more.kill, hostile: more.hostile },
    () => undefined,
    t.signal,
  );

test("the app's process is killed every few seconds: every clip ends right, and nobody is told twice", async (t) => {
  const outcome = await storming(t, { kill: 'worker' });
  assert.partialDeepStrictEqual(outcome, RIGHT);
  assert.ok(outcome.deaths > 1, `only ${outcome.deaths} deaths of ${outcome.kills} kills`);
});

test('on a hostile host with a real process to kill, every clip ends right, and nobody is told twice', async (t) => {
  const outcome = await storming(t, { hostile: QUICK_SEED });
  assert.partialDeepStrictEqual(outcome, RIGHT);
  assert.ok(outcome.deaths > 0, 'the process of the app never ended: nothing was done to it');
});
