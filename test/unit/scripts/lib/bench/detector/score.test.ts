import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readLabelledImages } from '../../../../../../scripts/lib/bench/detector/labelled-images.ts';
import { scoreOf } from '../../../../../../scripts/lib/bench/detector/score.ts';
import { Refusal } from '../../../../../../scripts/lib/command/ends.ts';

type Box = [number, number, number, number];
const thing = (label: string, box: Box) => ({ label, box });
const found = (label: string, confidence: number, box: Box) => ({ label, confidence, box });
const LEFT: Box = [0, 0, 0.4, 1];
const RIGHT: Box = [0.6, 0, 1, 1];

test('each thing is found once, by the surest box that fits; what is left over is false', () => {
  const score = scoreOf('person', [
    {
      labelled: [thing('person', LEFT), thing('person', RIGHT), thing('car', RIGHT)],
      found: [
        found('person', 0.9, LEFT),
        found('person', 0.8, [0, 0, 0.39, 1]),
        found('person', 0.7, RIGHT),
        found('car', 0.99, LEFT),
      ],
    },
  ]);
  assert.equal(score.things, 2);
  assert.equal(score.precision, 2 / 3);
  assert.equal(score.recall, 1);
  // Half of the recall at precision 1, the other half at 2/3.
  assert.ok(Math.abs((score.ap ?? 0) - (0.5 + 0.5 * (2 / 3))) < 1e-9);
});

test('what never occurs has no recall, and what nobody found has no precision', () => {
  assert.deepEqual(scoreOf('dog', [{ labelled: [], found: [found('dog', 0.5, LEFT)] }]), {
    ...{ things: 0, precision: 0, recall: null, ap: null },
  });
  assert.deepEqual(scoreOf('dog', [{ labelled: [thing('dog', LEFT)], found: [] }]), {
    ...{ things: 1, precision: null, recall: 0, ap: 0 },
  });
});

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-images-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('a manifest that cannot be used is refused in one sentence that names what and where', () => {
  const images = join(dir, 'images');
  assert.throws(() => readLabelledImages(images), new Refusal(`--images: there is no folder ${images}`));
  mkdirSync(images);
  writeFileSync(join(images, 'a.jpg'), '');
  const manifest = join(dir, 'manifest.json');
  assert.throws(() => readLabelledImages(images), /there is no manifest\.json in .*images or above it$/);
  const bad: readonly [string, RegExp][] = [
    ['{', /is not JSON$/],
    ['null', /has no list "images"$/],
    ['{"images": [null]}', /picture 1 of the manifest has no "file"$/],
    ['{"images": [{"file": "images/a.jpg"}]}', /images\/a\.jpg has no "width" and "height"/],
    ['{"images": [{"file": "images/b.jpg", "width": 2, "height": 2}]}', /b\.jpg does not exist$/],
    [
      '{"images": [{"file": "images/a.jpg", "width": 2, "height": 2, "objects": [{"name": "dog", "xyxy": [1]}]}]}',
      /xyxy of an object of a\.jpg is a list of four numbers$/,
    ],
    ['{"images": []}', /names no picture of/],
  ];
  for (const [text, why] of bad) {
    writeFileSync(manifest, text);
    assert.throws(
      () => readLabelledImages(images),
      (error) => error instanceof Refusal && why.test(error.message),
      text,
    );
  }
});

test('only what detectors report is asked for, relative to the picture', () => {
  const object = (name: string) => ({ name, xyxy: [10, 0, 20, 50] });
  writeFileSync(
    join(dir, 'manifest.json'),
    JSON.stringify({
      images: [
        { file: 'images/a.jpg', width: 100, height: 50, objects: [object('dog'), object('umbrella')] },
      ],
    }),
  );
  const [image] = readLabelledImages(join(dir, 'images'));
  assert.deepEqual(image?.labelled, [{ label: 'dog', box: [0.1, 0, 0.2, 1] }]);
});
