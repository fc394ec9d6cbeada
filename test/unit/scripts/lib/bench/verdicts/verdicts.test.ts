import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  expectation,
  readLabelledClips,
} from '../../../../../../scripts/lib/bench/verdicts/labelled-clips.ts';
import { type Row, summaryOf } from '../../../../../../scripts/lib/bench/verdicts/verdicts.ts';
import { Refusal } from '../../../../../../scripts/lib/command/ends.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-verdicts-'));
  for (const name of ['a.mp4', 'b.mp4', 'c.mp4']) await writeFile(join(dir, name), '');
});
after(() => rm(dir, { recursive: true, force: true }));

async function manifest(content: unknown): Promise<string> {
  const file = join(dir, 'manifest.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

test('what is expected stands in the manifest, or follows from the labels, the most important first', async () => {
  const file = await manifest({
    clips: [
      { file: 'a.mp4', labels: ['car', 'person'] },
      { file: 'b.mp4', labels: ['person'], expected_verdict: 'vehicle', acceptable: ['nothing'] },
      { file: 'c.mp4' },
    ],
  });
  assert.deepEqual(
    readLabelledClips(file, {}).map(({ expected, acceptable }) => [expected, acceptable]),
    [
      ['person', ['person']],
      ['vehicle', ['vehicle', 'nothing']],
      ['nothing', ['nothing']],
    ],
  );
});

test('a static thing is scenery, and what no detector can name may be missed', () => {
  assert.equal(expectation(['truck (static)']).expected, 'nothing');
  assert.equal(expectation(['van', 'cow']).expected, 'vehicle');
  assert.deepEqual(expectation(['animal (possum, thermal)']), {
    expected: 'animal',
    acceptable: ['animal', 'nothing'],
  });
});

test('the two halves of a manifest share no clip and miss none', async () => {
  const file = await manifest({ clips: ['a.mp4', 'b.mp4', 'c.mp4'].map((name) => ({ file: name })) });
  const names = (half: 'tune' | 'check') => readLabelledClips(file, { half }).map((clip) => clip.file);
  assert.deepEqual(names('tune'), ['a.mp4', 'c.mp4']);
  assert.deepEqual(names('check'), ['b.mp4']);
});

test('a manifest that cannot be used is refused with one sentence', async () => {
  const cases: [unknown, RegExp][] = [
    ['{', /is not JSON/],
    [{}, /has no list "clips"/],
    [{ clips: [] }, /names no clip/],
    [{ clips: [null] }, /clip 1 of the manifest has no "file"/],
    [{ clips: [{ file: 'gone.mp4' }] }, /gone\.mp4 does not exist/],
    [{ clips: [{ file: 'a.mp4', expected_verdict: 'ghost' }] }, /expected_verdict of a\.mp4 is one of/],
    [{ clips: [{ file: 'a.mp4', acceptable: ['ghost'] }] }, /acceptable of a\.mp4 is a list of/],
    [{ clips: [{ file: 'a.mp4', labels: 'person' }] }, /labels of a\.mp4 is a list of words/],
  ];
  for (const [content, sentence] of cases) {
    const file = await manifest(content);
    assert.throws(
      () => readLabelledClips(file, {}),
      (error: Error) => error instanceof Refusal && sentence.test(error.message),
    );
  }
});

test('a person is false where nobody was and missed where the verdict says otherwise', () => {
  const row = (expected: Row['expected'], verdict: Row['verdict'], more: Row['acceptable'] = []): Row => ({
    ...{ file: 'a.mp4', expected, verdict, acceptable: [expected, ...more], reason: '', cpuMs: 100 },
  });
  const { rows: _, ...figures } = summaryOf([
    row('nothing', 'person'),
    row('person', 'undecided'),
    row('person', 'person'),
    row('animal', 'nothing', ['nothing']),
  ]);
  assert.deepEqual(figures, { clips: 4, right: 0.5, falsePersons: 1, missedPersons: 1, cpuMsPerClip: 100 });
});
