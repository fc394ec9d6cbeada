import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  type CodedPicture,
  createPictureCutter,
} from '../../../../../agent/capture/packing/coded-pictures.ts';
import { readSps } from '../../../../../agent/capture/packing/h264.ts';
import { type MadePicture, typeOf } from '../../../../../hardware/simulators/camera/made-pictures.ts';
import { small, unitsOf } from '../h264-stream.ts';

let plain: MadePicture[];
before(async () => {
  plain = await small();
});

function cut(stream: readonly (readonly [MadePicture, number | undefined, boolean?])[]): CodedPicture[] {
  const pictures: CodedPicture[] = [];
  const cutter = createPictureCutter({ onPicture: (picture) => pictures.push(picture) });
  for (const [index, [picture, stampMs, afterLoss]] of stream.entries())
    for (const units of unitsOf(picture, stampMs, afterLoss)) cutter.push(units, index);
  cutter.flush();
  return pictures;
}
const stamped = (pictures: readonly MadePicture[]) =>
  pictures.map((picture, index) => [picture, index * 100] as const);
const typesOf = ({ units }: CodedPicture) => units.map((unit) => typeOf(unit.subarray(4)));
const bad = (picture: MadePicture): MadePicture => ({
  ...picture,
  units: [Buffer.from([0x67]), Buffer.from([0x41])],
});

test('nothing is handed on before the first key frame, and everything from it on', () => {
  const pictures = cut(stamped(plain.slice(3)));
  assert.equal(pictures.length, plain.length - 10);
  assert.ok(pictures[0]?.sets);
});

test('a picture of several slices is one picture', async () => {
  const sliced = await small({ slices: 4 });
  const pictures = cut(stamped(sliced));
  assert.equal(pictures.length, sliced.length);
  assert.ok(
    pictures.every((picture) => typesOf(picture).filter((type) => [1, 5].includes(type)).length === 4),
  );
});

test('pictures whose stamps stand still are pictures all the same', async () => {
  for (const slices of [1, 4]) {
    const made = await small({ slices });
    for (const stampMs of [0, undefined])
      assert.equal(cut(made.map((picture) => [picture, stampMs] as const)).length, made.length);
  }
});

test('parameter sets that change are those of the key frame behind them, and only of that', async () => {
  const other = await small({ width: 320, height: 176 });
  const pictures = cut(stamped([...plain.slice(0, 11), ...other, ...plain]));
  const sizes = pictures.flatMap(({ sets }) => (sets ? [sets.sps.widthPx] : []));
  assert.deepEqual(sizes, [160, 160, 320, 320, 160, 160]);
  assert.ok(pictures.every((picture) => typesOf(picture).every((type) => ![7, 8, 9].includes(type))));
});

test('a parameter set that changes between two key frames stays with the picture behind it', async () => {
  const other = await small({ x264: 'cabac=0' });
  const pps = other[0]?.units.find((unit) => typeOf(unit) === 8) ?? assert.fail();
  const [key, next, third] = plain as [MadePicture, MadePicture, MadePicture];
  const changed = { ...next, units: [pps, ...next.units] };
  const pictures = cut(stamped([key, changed, third]));
  assert.deepEqual(pictures.slice(1).map(typesOf), [[8, 1], [1]]);
});

test('after a loss nothing is handed on before the next key frame', () => {
  const stream = plain.map((picture, index) => [picture, index * 100, index === 4] as const);
  const pictures = cut(stream);
  assert.equal(pictures.length, 3 + 10);
  assert.ok(pictures[3]?.sets);
});

test('a key frame whose parameter sets never came is not one', () => {
  const bare = plain.map((picture) => ({
    ...picture,
    units: picture.units.filter((unit) => ![7, 8].includes(typeOf(unit))),
  }));
  assert.deepEqual(cut(stamped(bare)), []);
});

test('units that cannot be read cost no picture that can', () => {
  const [key, ...others] = plain.slice(0, 10) as [MadePicture, ...MadePicture[]];
  const pictures = cut(stamped([bad(key), key, ...others]));
  assert.equal(pictures.filter(({ sets }) => sets).length, 1);
  assert.ok(pictures.length >= 10);
});

test('decoding can begin at a recovery point; what is shown before it is left out', async () => {
  const open = await small({ openGops: true, bPictures: 2, seconds: 4 });
  const second = open.findIndex(({ key }, index) => key && index > 0);
  const pictures = cut(stamped(open.slice(second)));
  assert.ok(pictures[0]?.sets);
  assert.equal(pictures[1]?.reordered, false);
});

test('a damaged sequence parameter set is refused or read, in bounded time, whatever its bits are', () => {
  const sps = plain[0]?.units.find((unit) => typeOf(unit) === 7) ?? assert.fail();
  assert.deepEqual([readSps(sps).widthPx, readSps(sps).heightPx], [160, 96]);
  for (let bit = 8; bit < sps.length * 8; bit++) {
    const damaged = Buffer.from(sps);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    for (const bytes of [damaged, damaged.subarray(0, bit >> 3)]) {
      try {
        const { widthPx, heightPx } = readSps(bytes);
        assert.ok(widthPx > 0 && heightPx > 0);
      } catch (error) {
        assert.equal((error as { kind?: string }).kind, 'corrupt');
      }
    }
  }
});
