import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UPLOAD_SETTINGS } from '../../../../agent/upload/upload-settings.ts';
import { createVerdictRounds } from '../../../../agent/upload/verdict-rounds.ts';
import { createFakeClock } from '../../../fakes/clock.ts';

const { idleMs, verdictEveryMs, verdictAfterMs, verdictAfterConnectMs } = UPLOAD_SETTINGS;

/** Rounds of which each settles as many clips as the next number says. */
function roundsWith(...settles: number[]) {
  const clock = createFakeClock();
  const ages: number[] = [];
  const link = { up: true };
  const asked = { waitMs: 0 };
  const rounds = createVerdictRounds({
    reconciler: {
      round: async (ageMs) => {
        ages.push(ageMs);
        return settles.shift() ?? 0;
      },
    },
    tickets: { waitMs: () => asked.waitMs },
    clock,
    online: () => link.up,
    settings: UPLOAD_SETTINGS,
  });
  const turnAfter = async (ms: number) => {
    await clock.advance(ms);
    return rounds.turn(new AbortController().signal);
  };
  return { turnAfter, ages, link, asked };
}

test('verdicts are asked for when the link comes back, soon after the upload, and then every few minutes', async () => {
  const { turnAfter, ages, link } = roundsWith();
  await turnAfter(0);
  assert.deepEqual(ages, [verdictAfterConnectMs]);
  await turnAfter(verdictEveryMs - 1);
  assert.equal(ages.length, 1);
  await turnAfter(1);
  assert.deepEqual(ages, [verdictAfterConnectMs, verdictAfterMs]);
  link.up = false;
  await turnAfter(verdictEveryMs);
  assert.equal(ages.length, 2);
  link.up = true;
  await turnAfter(1);
  assert.deepEqual(ages, [verdictAfterConnectMs, verdictAfterMs, verdictAfterConnectMs]);
});

test('a round that brought verdicts is followed by another soon', async () => {
  const { turnAfter, ages } = roundsWith(3, 0);
  assert.equal(await turnAfter(0), 3);
  await turnAfter(idleMs);
  assert.equal(ages.length, 2);
  await turnAfter(idleMs);
  assert.equal(ages.length, 2);
});

test('nobody is asked while hub or storage want to be left in peace', async () => {
  const { turnAfter, ages, asked } = roundsWith();
  asked.waitMs = 5_000;
  assert.equal(await turnAfter(0), 0);
  assert.deepEqual(ages, []);
  asked.waitMs = 0;
  await turnAfter(verdictEveryMs);
  assert.equal(ages.length, 1);
});
