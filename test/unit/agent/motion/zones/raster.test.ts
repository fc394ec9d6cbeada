import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PicturePoint } from '@dachawatch/contracts';
import { rasterise } from '../../../../../agent/motion/zones/raster.ts';
import { createMaskedFrames } from '../../../../../agent/motion/zones/mask.ts';
import { createZoneShape } from '../../../../../agent/motion/zones/shape.ts';

const picture = (polygon: readonly PicturePoint[], width = 10, height = 10) =>
  Array.from({ length: height }, (_, y) =>
    [...rasterise(polygon, width, height).subarray(y * width, (y + 1) * width)].join(''),
  );
const square = (left: number, top: number, right: number, bottom: number): [number, number][] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];

test('a polygon on cell borders covers exactly its cells, whichever way round it is drawn', () => {
  const expected = ['0000000000', '0000000000', '0011100000', '0011100000', ...Array(6).fill('0000000000')];
  assert.deepEqual(picture(square(0.2, 0.2, 0.5, 0.4)), expected);
  assert.deepEqual(picture(square(0.2, 0.2, 0.5, 0.4).toReversed()), expected);
});

test('the notch of a concave polygon stays out', () => {
  const u: PicturePoint[] = [
    [0.1, 0.1],
    [0.3, 0.1],
    [0.3, 0.7],
    [0.7, 0.7],
    [0.7, 0.1],
    [0.9, 0.1],
    [0.9, 0.9],
    [0.1, 0.9],
  ];
  const rows = picture(u);
  assert.equal(rows[3], '0110000110');
  assert.equal(rows[8], '0111111110');
});

test('what is smaller than a cell, or thinner, still counts', () => {
  assert.equal(
    picture([
      [0.42, 0.42],
      [0.44, 0.42],
      [0.43, 0.44],
    ])
      .join('')
      .replaceAll('0', ''),
    '1',
  );
  const hair = picture([
    [0, 0.501],
    [1, 0.501],
    [1, 0.502],
  ]);
  assert.equal(hair[5], '1111111111');
});

test('the whole picture is every cell, and borders of the picture are touched', () => {
  assert.ok(rasterise(square(0, 0, 1, 1), 320, 180).every((cell) => cell === 1));
  const corner = picture([
    [1, 1],
    [0.95, 1],
    [1, 0.95],
  ]);
  assert.equal(corner[9], '0000000001');
});

test('a mask covers each pixel that it touches and no other, in a copy', () => {
  const size = { width: 32, height: 18 };
  const masks = [
    { id: 'a', polygon: square(0.5, 0, 1, 0.5) },
    { id: 'b', polygon: square(0, 0.9, 0.2, 1) },
  ];
  const masked = createMaskedFrames(masks, size) ?? assert.fail();
  const frame = new Uint8Array(32 * 18).fill(200);
  const seen = masked.apply(frame);
  assert.ok(frame.every((level) => level === 200));
  seen.forEach((level, i) => assert.equal(level, masked.analysed[i] === 1 ? 200 : 0));
  assert.equal(masked.analysed[16], 0);
  assert.equal(masked.analysed[15], 1);
  assert.equal(createMaskedFrames([], size), undefined);
});

test('a region counts where it stands or where most of it lies', () => {
  const zone = createZoneShape(square(0.4, 0.5, 0.6, 1));
  assert.ok(zone.has([0.45, 0.2, 0.55, 0.7]), 'it stands there');
  assert.ok(!zone.has([0.2, 0.3, 0.5, 0.55]), 'only a corner touches');
  assert.ok(zone.has([0.4, 0.45, 0.75, 0.99]), 'half of it lies there');
  assert.ok(!zone.has([0.45, 0, 0.55, 0.3]), 'it is above');
  assert.ok(zone.has([0.45, 0.9, 0.55, 1]), 'at the lower edge of the picture');
});
