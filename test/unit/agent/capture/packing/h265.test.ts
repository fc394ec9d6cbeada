import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { hasParameterSets } from '../../../../../agent/capture/mp4/described-sets.ts';
import { initSegment } from '../../../../../agent/capture/mp4/format-boxes.ts';
import {
  type CodedPicture,
  createPictureCutter,
} from '../../../../../agent/capture/packing/coded-pictures.ts';
import { H265 } from '../../../../../agent/capture/packing/h265.ts';
import {
  type MadePicture,
  type PicturesOptions,
  setsOf,
  typeOf,
} from '../../../../../hardware/simulators/camera/made-pictures.ts';
import { small, unitsOf } from '../h264-stream.ts';

const made = (settings: PicturesOptions = {}) => small({ coding: 'H265', ...settings });
let plain: MadePicture[];
before(async () => {
  plain = await made();
});

function cut(pictures: readonly MadePicture[], stamp = (index: number) => index * 100): CodedPicture[] {
  const found: CodedPicture[] = [];
  const cutter = createPictureCutter({ onPicture: (picture) => found.push(picture) });
  for (const [index, picture] of pictures.entries())
    for (const unit of unitsOf(picture, stamp(index))) cutter.push(unit, index);
  cutter.flush();
  return found;
}
const typesOf = ({ units }: CodedPicture) => units.map((unit) => typeOf(unit.subarray(4), 'H265'));
const IDR = [19, 20];

test('pictures of H.265 are told apart, their parameter sets are read, and stand in no sample', () => {
  const pictures = cut(plain);
  assert.equal(pictures.length, plain.length);
  const keys = pictures.filter(({ sets }) => sets);
  assert.equal(keys.length, plain.filter(({ key }) => key).length);
  const [first] = keys;
  assert.deepEqual([first?.sets?.sps.widthPx, first?.sets?.sps.heightPx], [160, 96]);
  assert.ok(first?.sets?.vpsUnit && first.sets.ppsUnits.length === 1);
  assert.ok(pictures.every((picture) => typesOf(picture).every((type) => type < 32 || type > 35)));
  assert.ok(pictures.every(({ reordered }) => !reordered));
});

test('a size that is no multiple of a block is that of the picture that is shown', async () => {
  const [key] = cut(await made({ width: 178, height: 98, seconds: 1 }));
  assert.deepEqual([key?.sets?.sps.widthPx, key?.sets?.sps.heightPx], [178, 98]);
});

/** The slice once more, as one that does not begin its picture: its header says so first. */
function further(slice: Buffer): Buffer {
  const copy = Buffer.from(slice);
  copy[2] = (copy[2] ?? 0) & 0x7f;
  return copy;
}

test('pictures of several slices, and stamps that stand still, make as many pictures as were sent', () => {
  const sliced = plain.map((picture) => ({
    ...picture,
    units: picture.units.flatMap((unit) =>
      typeOf(unit, 'H265') < 32 ? [unit, further(unit), further(unit)] : [unit],
    ),
  }));
  for (const pictures of [sliced, plain])
    for (const stamp of [undefined, () => 0]) assert.equal(cut(pictures, stamp).length, pictures.length);
});

test('pictures that are shown before earlier ones are told by their count, not by the kind of their slices', async () => {
  const pictures = await made({ bPictures: 2, seconds: 3 });
  let latest = -1;
  const expected = pictures.map(({ shown, key }) => {
    const isBehind = shown < latest;
    latest = key ? shown : Math.max(latest, shown);
    return isBehind;
  });
  assert.ok(expected.some(Boolean));
  assert.deepEqual(
    cut(pictures).map(({ reordered }) => reordered),
    expected,
  );
});

test('a stream can be entered at an open group of pictures; what needs pictures before it is left out', async () => {
  const open = await made({ openGops: true, bPictures: 2, seconds: 4 });
  const second = open.findIndex(({ key }, index) => key && index > 0);
  const pictures = cut(open.slice(second));
  assert.ok(pictures[0]?.sets);
  assert.ok(typesOf(pictures[0]).some((type) => type === 21));
  assert.ok(pictures.every((picture) => typesOf(picture).every((type) => type !== 8 && type !== 9)));
});

test('nothing is handed on before the first key frame', () => {
  const pictures = cut(plain.slice(3));
  assert.equal(pictures.length, plain.length - 10);
  assert.ok(pictures[0] && typesOf(pictures[0]).some((type) => IDR.includes(type)));
});

test('an init segment says hvc1 and holds the sets; one whose sets are damaged is told', () => {
  const { sets } = cut(plain)[0] ?? assert.fail();
  const init = initSegment(sets ?? assert.fail(), 0);
  assert.ok(init.includes('hvc1') && init.includes('hvcC') && !init.includes('avc1'));
  for (const set of setsOf(plain[0] ?? assert.fail())) assert.ok(init.includes(set));
  assert.equal(hasParameterSets(init), true);
  const from = init.indexOf('hvcC') + 4;
  for (let end = 0; end < init.length; end++) {
    const short = hasParameterSets(init.subarray(0, end));
    if (end < from + 24) assert.equal(short, false);
  }
  const spoilt = Buffer.from(init);
  spoilt.fill(0, from + 23, from + 40);
  assert.equal(hasParameterSets(spoilt), false);
});

test('a damaged parameter set is refused or read, in bounded time, whatever its bits are', () => {
  const readers = [
    (set: Buffer) => H265.readVps?.(set),
    (set: Buffer) => H265.readSps(set),
    (set: Buffer) => H265.readPps(set),
  ];
  for (const [index, set] of setsOf(plain[0] ?? assert.fail()).entries())
    for (let bit = 16; bit < set.length * 8; bit++) {
      const damaged = Buffer.from(set);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      for (const bytes of [damaged, damaged.subarray(0, bit >> 3)]) {
        try {
          const read = readers[index]?.(bytes);
          if (index === 1 && read && typeof read === 'object' && 'widthPx' in read)
            assert.ok(read.widthPx > 0 && read.heightPx > 0);
        } catch (error) {
          assert.equal((error as { kind?: string }).kind, 'corrupt');
        }
      }
    }
});

test('units of another layer and of kinds that nobody knows cost no picture', () => {
  const foreign = [
    Buffer.from([0x26, 0x09, 1, 2]),
    Buffer.from([0x32 << 1, 1, 9]),
    Buffer.from([25 << 1, 1, 9]),
  ];
  const pictures = plain.map((picture) => ({ ...picture, units: [...picture.units, ...foreign] }));
  assert.equal(cut(pictures).length, plain.length);
});
