import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readManifest } from '../../../../../../scripts/lib/bench/motion/manifest.ts';
import { Refusal } from '../../../../../../scripts/lib/command/ends.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-manifest-'));
  mkdirSync(join(dir, 'clips'));
  writeFileSync(join(dir, 'clips/a.mp4'), '');
});
after(() => rmSync(dir, { recursive: true }));

const clip = (fields: object) => ({
  file: 'clips/a.mp4',
  duration_s: 20,
  motion_intervals: [[5, 8]],
  ...fields,
});

function write(content: unknown): string {
  const file = join(dir, 'manifest.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function one(fields: object) {
  const [read] = await readManifest(write({ clips: [clip(fields)] }));
  return read ?? assert.fail('no clip');
}

test('files are found beside the manifest, and fields nobody knows are passed over', async () => {
  const read = await one({ weather: 'fog', optional_intervals: [[8, 9]], negative_intervals: [[0, 4]] });
  assert.equal(read.path, join(dir, 'clips/a.mp4'));
  assert.deepEqual(read.motion, [{ fromS: 5, toS: 8 }]);
  assert.deepEqual(read.optional, [{ fromS: 8, toS: 9 }]);
  assert.deepEqual(read.negative, [{ fromS: 0, toS: 4 }]);
});

test('without negative intervals, all that is neither motion nor doubtful is negative', async () => {
  const { negative } = await one({ optional_intervals: [[7, 9]] });
  assert.deepEqual(negative, [
    { fromS: 0, toS: 5 },
    { fromS: 9, toS: 20 },
  ]);
});

test('any word or true in synthetic counts as synthetic', async () => {
  assert.equal((await one({ synthetic: 'looped real footage' })).synthetic, true);
  assert.equal((await one({ synthetic: true })).synthetic, true);
  assert.equal((await one({ synthetic: false })).synthetic, false);
  assert.equal((await one({})).synthetic, false);
});

test('only clips whose motion begins at once get ten seconds of their first picture', async () => {
  assert.equal((await one({ motion_intervals: [[0, 3]] })).leadInS, 10);
  assert.equal((await one({ motion_intervals: [[1.5, 3]] })).leadInS, 0);
  assert.equal((await one({ motion_intervals: [] })).leadInS, 0);
});

test('clips for the detector only are left out, and a part of the name keeps the others', async () => {
  const file = write({ clips: [clip({ use: 'detector only' }), clip({ use: 'anything' })] });
  assert.equal((await readManifest(file)).length, 1);
  assert.equal((await readManifest(file, 'a.mp')).length, 1);
  await assert.rejects(readManifest(file, 'b.mp4'), /"b.mp4"/);
});

const refused: readonly [what: string, content: unknown, says: RegExp][] = [
  ['that is not JSON', '{', /not JSON/],
  ['without clips', {}, /"clips"/],
  ['with no clip', { clips: [] }, /names no clip/],
  ['with a clip without file', { clips: [{}] }, /clip 1 of the manifest has no "file"/],
  ['with a file that is not there', { clips: [clip({ file: 'clips/b.mp4' })] }, /b\.mp4 does not exist/],
  ['with a clip that says nothing', { clips: [{ file: 'clips/a.mp4' }] }, /neither what moves/],
  [
    'with an interval that runs backwards',
    { clips: [clip({ motion_intervals: [[8, 5]] })] },
    /motion_intervals of/,
  ],
  ['with words for seconds', { clips: [clip({ negative_intervals: ['0-5'] })] }, /negative_intervals of/],
];
for (const [what, content, says] of refused) {
  test(`a manifest ${what} is refused with one sentence`, async () => {
    await assert.rejects(readManifest(write(content)), (error: Error) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.message, says);
      return true;
    });
  });
}
