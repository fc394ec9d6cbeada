import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { typeOf } from '../../../../../agent/capture/packing/parameter-sets.ts';
import { createWatchedPictures } from '../../../../../agent/capture/child/watched-pictures.ts';
import type { MadePicture } from '../../../../../hardware/simulators/camera/made-pictures.ts';
import { small, unitsOf } from '../h264-stream.ts';

let plain: MadePicture[];
before(async () => {
  plain = await small();
});

/** A decoder that takes everything, and says of itself what it is told. */
function watch(waiting: (given: number) => { buffers: number; bytes: number }) {
  const given: { bytes: Buffer; atMs: number }[] = [];
  const pictures = createWatchedPictures(() => ({
    push: (bytes, atMs) => void given.push({ bytes, atMs }),
    waiting: () => waiting(given.length),
  }));
  let count = 0;
  const show = (some: readonly MadePicture[], afterLoss = false) => {
    for (const [index, picture] of some.entries()) {
      const ms = count++ * 100;
      for (const unit of unitsOf(picture, ms, afterLoss && index === 0)) pictures.push(unit, ms);
    }
  };
  return { given, show, end: () => pictures.flush() };
}
const idle = () => ({ buffers: 0, bytes: 0 });

/** Types of the units in a buffer with start codes. */
function typesIn(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = bytes.indexOf('00000001', 0, 'hex'); at >= 0; at = bytes.indexOf('00000001', at + 4, 'hex'))
    types.push(typeOf(bytes.subarray(at + 4)));
  return types;
}

test('the decoder gets each picture once, in order, in time, and key frames with their parameter sets', () => {
  const { given, show, end } = watch(idle);
  show(plain);
  end();
  assert.equal(given.length, plain.length);
  for (const [index, { bytes, atMs }] of given.entries()) {
    assert.equal(Math.round(atMs), index * 100);
    const types = typesIn(bytes);
    assert.deepEqual(types.slice(0, 2), plain[index]?.key ? [7, 8] : types.slice(0, 2));
    assert.equal(types.filter((type) => type === 1 || type === 5).length, 1);
  }
});

test('behind a loss the decoder gets nothing before a key frame', () => {
  const { given, show, end } = watch(idle);
  show(plain.slice(0, 3));
  show(plain.slice(5), true);
  end();
  const keys = plain.slice(5).findIndex(({ key }) => key);
  // The picture in front of the loss is not known to be whole.
  assert.equal(given.length, 2 + plain.slice(5).length - keys);
  assert.ok(typesIn(given[2]?.bytes ?? Buffer.alloc(0)).includes(5));
});

for (const [what, much] of [
  ['pictures', { buffers: 150, bytes: 0 }],
  ['bytes', { buffers: 1, bytes: 32 * 1024 * 1024 }],
] as const)
  test(`a decoder behind which too many ${what} wait is given nothing before the next key frame`, () => {
    let state: { buffers: number; bytes: number } = much;
    const { given, show, end } = watch(() => state);
    const next = plain.findIndex(({ key }, index) => key && index > 0);
    show(plain.slice(0, 3));
    state = idle();
    show(plain.slice(3, next + 3));
    end();
    assert.equal(given.length, 3, 'those from the second key frame on');
    assert.ok(typesIn(given[0]?.bytes ?? Buffer.alloc(0)).includes(5));
  });
