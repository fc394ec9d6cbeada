import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createWatchedPictures } from '../../../../../../agent/capture/child/decoding/watched-pictures.ts';
import { accessUnit } from '../../../../../../agent/capture/packing/access-unit.ts';
import type { CodedPicture } from '../../../../../../agent/capture/packing/coded-pictures.ts';
import { type MadePicture, typeOf } from '../../../../../../hardware/simulators/camera/made-pictures.ts';
import { small, unitsOf } from '../../h264-stream.ts';

let plain: MadePicture[];
before(async () => {
  plain = await small();
});

function watch() {
  const seen: { picture: CodedPicture; mediaMs: number }[] = [];
  const pictures = createWatchedPictures((picture, mediaMs) => void seen.push({ picture, mediaMs }));
  let count = 0;
  const show = (some: readonly MadePicture[], afterLoss = false) => {
    for (const [index, picture] of some.entries()) {
      const ms = count++ * 100;
      for (const unit of unitsOf(picture, ms, afterLoss && index === 0)) pictures.push(unit, ms);
    }
  };
  return { seen, show, end: () => pictures.flush() };
}

/** Types of the units in a buffer with start codes. */
function typesIn(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = bytes.indexOf('00000001', 0, 'hex'); at >= 0; at = bytes.indexOf('00000001', at + 4, 'hex'))
    types.push(typeOf(bytes.subarray(at + 4)));
  return types;
}

test('each picture is handed on once, in order, in time, and can be decoded twice', () => {
  const { seen, show, end } = watch();
  show(plain);
  end();
  assert.equal(seen.length, plain.length);
  for (const [index, { picture, mediaMs }] of seen.entries()) {
    assert.equal(Math.round(mediaMs), index * 100);
    const bytes = accessUnit(picture);
    const types = typesIn(bytes);
    assert.deepEqual(types.slice(0, 2), plain[index]?.key ? [7, 8] : types.slice(0, 2));
    assert.equal(types.filter((type) => type === 1 || type === 5).length, 1);
    assert.ok(accessUnit(picture).equals(bytes));
  }
});

test('behind a loss nothing is handed on before a key picture', () => {
  const { seen, show, end } = watch();
  show(plain.slice(0, 3));
  show(plain.slice(5), true);
  end();
  const keys = plain.slice(5).findIndex(({ key }) => key);
  // The picture in front of the loss is not known to be whole.
  assert.equal(seen.length, 2 + plain.slice(5).length - keys);
  assert.ok(seen[2]?.picture.sets);
});
