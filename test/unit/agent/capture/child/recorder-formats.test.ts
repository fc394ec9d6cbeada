import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fragment } from '../../../../../agent/capture/mp4/fragment.ts';
import { madeFormat, madeFragment, seconds } from '../made-fragments.ts';
import { rig, WALL } from './recorder-rig.ts';

/** The camera changes its format with the fragment that begins at this moment. */
function changing(atMs: number, count = 200): Fragment[] {
  const [one, two] = [madeFormat(1), madeFormat(2)];
  return seconds(count).map((settings) => madeFragment(settings, settings.baseMs < atMs ? one : two));
}
const formatsOf = (files: readonly Fragment[][]) =>
  files.map((file) => [...new Set(file.map(({ format }) => format.number))]);

test('a format that changes in mid-clip ends it, and the rest of its time is on another one', async () => {
  const it = rig({ fragments: changing(30_000) });
  await it.until(20_500);
  await it.trigger();
  await it.until(70_000);
  assert.deepEqual(
    [it.range(0), it.range(1)],
    [
      [14_000, 30_000],
      [30_000, 50_000],
    ],
  );
  assert.deepEqual(formatsOf(it.files), [[1], [2]]);
  assert.deepEqual(
    it.written.map(({ clip }) => [clip.startedMs - WALL, clip.preRollMs]),
    [
      [14_000, 6500],
      [30_000, 0],
    ],
  );
  assert.equal(new Set(it.asked).size, 1);
});

test('a format that changed within the pre-roll costs none of it', async () => {
  const it = rig({ fragments: changing(18_000) });
  await it.until(20_500);
  await it.trigger();
  await it.until(70_000);
  assert.deepEqual(
    [it.range(0), it.range(1)],
    [
      [14_000, 18_000],
      [18_000, 50_000],
    ],
  );
  assert.deepEqual(formatsOf(it.files), [[1], [2]]);
});

test('a format that changes while a place is waited for mixes nothing', async () => {
  const it = rig({ fragments: changing(22_000), slowPlace: true });
  await it.until(20_500);
  await it.trigger();
  await it.until(24_500);
  for (const give of it.places.splice(0)) give();
  await it.until(25_000);
  for (const give of it.places.splice(0)) give();
  await it.until(70_000);
  assert.deepEqual(formatsOf(it.files), [[1], [2]]);
  assert.deepEqual(
    [it.range(0), it.range(1)],
    [
      [14_000, 22_000],
      [22_000, 50_000],
    ],
  );
});
