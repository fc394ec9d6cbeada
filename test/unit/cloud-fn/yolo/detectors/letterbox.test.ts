import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitInto, packedRgbToPlanarBgr } from '../../../../../cloud-fn/yolo/detectors/letterbox.ts';

test('a picture keeps its proportions and fits the square, whatever its shape', () => {
  assert.deepEqual(fitInto(416, { width: 1920, height: 1080 }), { width: 416, height: 234 });
  assert.deepEqual(fitInto(416, { width: 1080, height: 1920 }), { width: 234, height: 416 });
  assert.deepEqual(fitInto(416, { width: 416, height: 416 }), { width: 416, height: 416 });
  assert.deepEqual(fitInto(416, { width: 208, height: 104 }), { width: 416, height: 208 });
  assert.deepEqual(fitInto(416, { width: 10_000, height: 1 }), { width: 416, height: 1 });
});

test('pixels land blue first in the corner at the top left, and the padding is left alone', () => {
  const tensor = new Float32Array(3 * 4 * 4).fill(114);
  const rgb = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  packedRgbToPlanarBgr({ rgb, width: 2, height: 2 }, 4, tensor);
  const plane = (index: number) => [...tensor.subarray(index * 16, index * 16 + 16)];
  const padded = (a: number, b: number, c: number, d: number) =>
    [[a, b, 114, 114], [c, d, 114, 114], Array(4).fill(114), Array(4).fill(114)].flat();
  assert.deepEqual(plane(0), padded(3, 6, 9, 12));
  assert.deepEqual(plane(1), padded(2, 5, 8, 11));
  assert.deepEqual(plane(2), padded(1, 4, 7, 10));
});
