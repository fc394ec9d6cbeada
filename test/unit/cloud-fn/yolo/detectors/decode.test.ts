import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCenternet } from '../../../../../cloud-fn/yolo/detectors/centernet.ts';
import { COCO_CLASS_COUNT, reportedLabel } from '../../../../../cloud-fn/yolo/detectors/coco-labels.ts';
import { decodeYolox, yoloxRows } from '../../../../../cloud-fn/yolo/detectors/yolox-decode.ts';

const SIDE = 416;
const PICTURE = { width: 416, height: 234 };
const [PERSON, CAR, TV] = [0, 2, 62];

/** A raw output with one row filled in. */
function yoloxOutput(row: number, values: { box: number[]; objectness: number; scores: [number, number][] }) {
  const output = new Float32Array(yoloxRows(SIDE) * 85);
  output.set([...values.box, values.objectness], row * 85);
  for (const [classId, score] of values.scores) output[row * 85 + 5 + classId] = score;
  return output;
}

const near = (found: readonly number[] | undefined, wanted: readonly number[]) =>
  wanted.forEach((value, at) =>
    assert.ok(Math.abs((found?.[at] ?? NaN) - value) < 1e-4, `${found?.join()} not ${wanted.join()}`),
  );

test('the classes are the 80 of COCO, and only people, animals and vehicles are reported', () => {
  assert.equal(COCO_CLASS_COUNT, 80);
  const reported = Array.from({ length: 80 }, (_, id) => reportedLabel(id)).filter(
    (label) => label !== undefined,
  );
  assert.deepEqual(
    reported,
    'person bicycle car motorcycle bus truck bird cat dog horse sheep cow elephant bear'.split(' '),
  );
  assert.equal(reportedLabel(TV), undefined);
});

test('a YOLOX row is decoded on the grid of its stride', () => {
  assert.equal(yoloxRows(SIDE), 3549);
  // Stride 16: after 52 * 52 rows of stride 8; row 3, column 5 of 26.
  const row = 52 * 52 + 3 * 26 + 5;
  const output = yoloxOutput(row, {
    box: [0.5, 0.25, Math.log(4), Math.log(2)],
    objectness: 0.9,
    scores: [[PERSON, 0.8]],
  });
  const [person, ...others] = decodeYolox(output, SIDE, PICTURE);
  assert.deepEqual(others, []);
  assert.equal(person?.label, 'person');
  near([person?.confidence ?? 0], [0.72]);
  // Centre (5.5 * 16, 3.25 * 16) = (88, 52), size (64, 32).
  near(person?.box, [56 / 416, 36 / 234, 120 / 416, 68 / 234]);
});

test('a class that is not reported does not hide one that is', () => {
  const output = yoloxOutput(0, {
    box: [1, 1, 1, 1],
    objectness: 1,
    scores: [
      [TV, 0.9],
      [CAR, 0.5],
    ],
  });
  assert.deepEqual(
    decodeYolox(output, SIDE, PICTURE).map(({ label, confidence }) => [label, confidence]),
    [['car', 0.5]],
  );
});

test('boxes end at the edge of the picture, and one that lies in the padding is dropped', () => {
  const last = yoloxRows(SIDE) - 1;
  const inPadding = yoloxOutput(last, { box: [0, 0, 0, 0], objectness: 1, scores: [[PERSON, 1]] });
  assert.deepEqual(decodeYolox(inPadding, SIDE, PICTURE), []);
  const everywhere = yoloxOutput(0, { box: [0, 0, 9, 9], objectness: 1, scores: [[PERSON, 1]] });
  assert.deepEqual(decodeYolox(everywhere, SIDE, PICTURE)[0]?.box, [0, 0, 1, 1]);
});

test('weak candidates are dropped, people last: as a hint they are told', () => {
  const at = (classId: number, score: number) =>
    decodeYolox(
      yoloxOutput(9, { box: [1, 1, 1, 1], objectness: 1, scores: [[classId, score]] }),
      SIDE,
      PICTURE,
    );
  assert.equal(at(PERSON, 0.16).length, 1);
  assert.equal(at(PERSON, 0.14).length, 0);
  assert.equal(at(CAR, 0.31).length, 0);
  assert.equal(at(CAR, 0.36).length, 1);
});

test('CenterNet rows become boxes relative to the picture, without unknown classes', () => {
  const rows = Float32Array.from([
    ...[51.2, 28.8, 256, 144, 0.5, PERSON],
    ...[0, 0, 512, 288, 0.9, TV],
    ...[0, 0, 100, 100, 0.1, CAR],
  ]);
  const found = decodeCenternet(rows, { width: 512, height: 288 });
  assert.equal(found.length, 1);
  assert.equal(found[0]?.label, 'person');
  near(found[0]?.box, [0.1, 0.1, 0.5, 0.5]);
});
