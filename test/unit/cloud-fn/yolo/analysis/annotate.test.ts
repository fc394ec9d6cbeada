import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotationFilter, pictureSize, quoted } from '../../../../../cloud-fn/yolo/analysis/annotate.ts';
import { placeLabels } from '../../../../../cloud-fn/yolo/analysis/place-labels.ts';
import type { Detection } from '../../../../../cloud-fn/yolo/detectors/detector.ts';

const SIZE = { width: 1280, height: 720 };
const person = (box: Detection['box']): Detection => ({ label: 'person', confidence: 0.876, box });

test('values cannot break out of the filter graph', () => {
  assert.equal(quoted('person 88%'), "'person 88%'");
  assert.equal(quoted('a:b'), "'a\\:b'");
  assert.equal(quoted('a,b;[c]'), "'a,b;[c]'");
  assert.equal(quoted("it's"), "'it\\'\\''s'");
  assert.equal(quoted('c:\\f'), "'c\\:\\\\f'");
});

test('the picture is never enlarged, at most 1280 wide, with even sides', () => {
  assert.deepEqual(pictureSize({ width: 3840, height: 2160 }), { width: 1280, height: 720 });
  assert.deepEqual(pictureSize({ width: 641, height: 361 }), { width: 642, height: 362 });
  assert.deepEqual(pictureSize({ width: 320, height: 240 }), { width: 320, height: 240 });
});

test('boxes and labels are drawn in pixels of the picture; without a font only boxes', () => {
  const filter = annotationFilter([person([0.25, 0.25, 0.5, 0.75])], SIZE, '/fonts/Mono.ttf');
  assert.match(filter, /drawbox=x=320:y=180:w=320:h=360:color=0xff3b30:t=3/);
  assert.match(filter, /drawtext=fontfile='\/fonts\/Mono.ttf':text='person 88%':expansion=none/);
  assert.doesNotMatch(annotationFilter([person([0, 0, 1, 1])], SIZE, undefined), /drawtext/);
});

test('labels stay in the picture and cover no other label', () => {
  const crowd = Array.from({ length: 12 }, (_, at) => person([at * 0.03, 0.3, at * 0.03 + 0.02, 0.9]));
  const corners = [person([0.99, 0, 1, 0.2]), person([0, 0, 0.05, 1])];
  const labels = placeLabels([...corners, ...crowd], SIZE);
  assert.ok(labels.length >= 4);
  for (const label of labels) {
    assert.ok(label.x >= 0 && label.x + label.width <= SIZE.width, JSON.stringify(label));
    assert.ok(label.y >= 0 && label.y + label.height <= SIZE.height, JSON.stringify(label));
    const covered = labels.filter(
      (other) =>
        other !== label &&
        other.x < label.x + label.width &&
        label.x < other.x + other.width &&
        other.y < label.y + label.height &&
        label.y < other.y + other.height,
    );
    assert.deepEqual(covered, []);
  }
});
