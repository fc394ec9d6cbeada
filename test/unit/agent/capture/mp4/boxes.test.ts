import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boxes,
  fragmentTrackId,
  readHeader,
  readInit,
  readMoof,
  rewriteMoof,
  runOffset,
} from '../../../../../agent/capture/mp4/boxes.ts';
import { hasParameterSets } from '../../../../../agent/capture/mp4/described-sets.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { box, madeInit, madeMoof } from '../made-fragments.ts';

const track = { timescale: 1000, defaultSampleTicks: 0, defaultSampleFlags: 0, trackId: 1 };
const corrupt = (error: unknown) => error instanceof Failure && error.kind === 'corrupt';

test('a fragment tells its time, length, sizes and whether it begins with a key frame', () => {
  const info = readMoof(madeMoof({ baseMs: 5000, frames: 3, frameMs: 40, frameBytes: 9, key: true }), track);
  assert.deepEqual(info, {
    baseTicks: 5000,
    durationTicks: 120,
    lastSampleTicks: 40,
    samples: 3,
    sampleBytes: 27,
    startsWithKeyFrame: true,
  });
  assert.equal(readMoof(madeMoof({ baseMs: 0, key: false }), track).startsWithKeyFrame, false);
});

test('a 64-bit base time is read and rewritten as such', () => {
  const moof = madeMoof({ baseMs: 2 ** 33 + 5, version: 1 });
  assert.equal(readMoof(moof, track).baseTicks, 2 ** 33 + 5);
  const moved = rewriteMoof(moof, { sequence: 1, baseTicks: 2 ** 34 });
  assert.equal(readMoof(moved, track).baseTicks, 2 ** 34);
  assert.equal(moved.length, moof.length);
});

test('rewriting a fragment changes its number and time only, on a copy', () => {
  const moof = madeMoof({ baseMs: 9000 }, 3);
  const before = Buffer.from(moof);
  const moved = rewriteMoof(moof, { sequence: 1, baseTicks: 0 });
  assert.deepEqual(moof, before);
  const different = [...moved].flatMap((byte, index) => (byte === moof[index] ? [] : [index]));
  assert.ok(different.length <= 8);
  assert.equal(readMoof(moved, track).baseTicks, 0);
});

test('flags of the first sample and the defaults of the track count where the table is silent', () => {
  const u32 = (...values: number[]) =>
    Buffer.concat(
      values.map((value) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(value);
        return bytes;
      }),
    );
  const make = (trun: Buffer) =>
    box('moof', box('mfhd', u32(0, 1)), box('traf', box('tfhd', u32(0, 1)), box('tfdt', u32(0, 0)), trun));
  const defaults = { timescale: 1000, defaultSampleTicks: 50, defaultSampleFlags: 0x1_0000, trackId: 1 };
  const first = readMoof(make(box('trun', u32(0x204, 2, 0, 11, 12))), defaults);
  assert.deepEqual([first.startsWithKeyFrame, first.durationTicks, first.sampleBytes], [true, 100, 23]);
  const silent = readMoof(make(box('trun', u32(0x200, 2, 11, 12))), defaults);
  assert.equal(silent.startsWithKeyFrame, false);
});

test('the init segment tells the timescale', () => {
  assert.equal(readInit(madeInit({ timescale: 90_000 })).timescale, 90_000);
  assert.throws(() => readInit(madeInit({ timescale: 0 })), corrupt);
  assert.throws(() => readInit(box('ftyp')), corrupt);
});

test('a size no box can have is refused, a header cut short is waited for', () => {
  assert.equal(readHeader(Buffer.alloc(7)), undefined);
  assert.throws(() => readHeader(Buffer.alloc(8)), corrupt);
  assert.throws(() => readHeader(Buffer.from('000000076d6f6f66', 'hex')), corrupt);
  assert.equal(readHeader(Buffer.from('000000016d646174', 'hex')), undefined);
  assert.throws(() => readHeader(Buffer.from('000000016d6461740000000000000008', 'hex')), corrupt);
});

test('a box that reaches past its parent is refused', () => {
  const broken = box('moof', box('traf'));
  broken.writeUInt32BE(100, 8);
  assert.throws(() => [...boxes(broken, 8)], corrupt);
});

test('whatever bytes are damaged, reading a fragment ends with values or a refusal', () => {
  const moof = madeMoof({ baseMs: 1, frames: 4 });
  for (let at = 0; at < moof.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const damaged = Buffer.from(moof);
      damaged[at] = value;
      try {
        const info = readMoof(damaged, track);
        assert.ok(info.samples > 0 && info.durationTicks >= 0);
      } catch (error) {
        assert.ok(corrupt(error), `byte ${at} = ${value}: ${String(error)}`);
      }
    }
  }
});

const u32s = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};
/** A `moof` with these fields of `tfhd` behind flags and track, and a table that names nothing for its samples. */
const moofWith = (tfhdFlags: number, fields: number[], ...runs: Buffer[]) =>
  box(
    'moof',
    box('mfhd', u32s(0, 1)),
    box('traf', box('tfhd', u32s(tfhdFlags, 1, ...fields)), box('tfdt', u32s(0, 0)), ...runs),
  );

test('each optional field of tfhd is read where it stands, whichever others are there', () => {
  const own = { timescale: 1000, defaultSampleTicks: 7, defaultSampleFlags: 0, trackId: 1 };
  // In the order of the standard: base data offset (64 bits), description, duration, size, flags.
  const fields = [
    { flag: 0x1, words: [0xaaaa, 0xbbbb] },
    { flag: 0x2, words: [0xcccc] },
    { flag: 0x8, words: [50] },
    { flag: 0x10, words: [300] },
    { flag: 0x20, words: [0x1_0000] },
  ];
  for (let chosen = 0; chosen < 1 << fields.length; chosen++) {
    const there = fields.filter((_, index) => chosen & (1 << index));
    const flags = there.reduce((sum, { flag }) => sum | flag, 0);
    const words = there.flatMap((field) => field.words);
    const info = readMoof(moofWith(flags, words, box('trun', u32s(0, 3))), own);
    const has = (flag: number) => (flags & flag) !== 0;
    assert.deepEqual(
      info,
      {
        baseTicks: 0,
        durationTicks: 3 * (has(0x8) ? 50 : 7),
        lastSampleTicks: has(0x8) ? 50 : 7,
        samples: 3,
        sampleBytes: has(0x10) ? 900 : 0,
        startsWithKeyFrame: !has(0x20),
      },
      `flags ${flags}`,
    );
  }
});

test('each field of a sample is read where it stands, whichever others are there', () => {
  const own = { timescale: 1000, defaultSampleTicks: 7, defaultSampleFlags: 0x1_0000, trackId: 1 };
  for (let chosen = 0; chosen < 64; chosen++) {
    const has = (bit: number) => (chosen & (1 << bit)) !== 0;
    const flags = [0x1, 0x4, 0x100, 0x200, 0x400, 0x800].reduce(
      (sum, flag, bit) => sum | (has(bit) ? flag : 0),
      0,
    );
    const first = has(1) ? [0] : [];
    const sample = (ticks: number, bytes: number, own: number) => [
      ...(has(2) ? [ticks] : []),
      ...(has(3) ? [bytes] : []),
      ...(has(4) ? [own] : []),
      ...(has(5) ? [0xdddd] : []),
    ];
    const table = [
      ...(has(0) ? [0xeeee] : []),
      ...first,
      ...sample(40, 300, 0x1_0000),
      ...sample(60, 500, 0),
    ];
    const info = readMoof(moofWith(0, [], box('trun', u32s(flags, 2, ...table))), own);
    assert.equal(info.durationTicks, has(2) ? 100 : 14, `flags ${flags}`);
    assert.equal(info.lastSampleTicks, has(2) ? 60 : 7);
    assert.equal(info.sampleBytes, has(3) ? 800 : 0);
    assert.equal(info.startsWithKeyFrame, has(1));
  }
});

test('several tables of one fragment count together; the first sample of all decides about the key frame', () => {
  const own = { timescale: 1000, defaultSampleTicks: 7, defaultSampleFlags: 0x1_0000, trackId: 1 };
  const key = box('trun', u32s(0x4, 2, 0));
  const other = box('trun', u32s(0x100, 1, 9));
  const keyFirst = readMoof(moofWith(0, [], key, other), own);
  assert.deepEqual([keyFirst.samples, keyFirst.durationTicks, keyFirst.lastSampleTicks], [3, 23, 9]);
  assert.equal(keyFirst.startsWithKeyFrame, true);
  assert.equal(readMoof(moofWith(0, [], other, key), own).startsWithKeyFrame, false);
  assert.throws(() => readMoof(moofWith(0, []), own), corrupt);
});

test('a table is read to the last byte of its box, and not one further', () => {
  const own = { timescale: 1000, defaultSampleTicks: 7, defaultSampleFlags: 0, trackId: 1 };
  assert.throws(() => readMoof(moofWith(0, [], box('trun', u32s(0x100, 2, 9))), own), corrupt);
  assert.throws(() => readMoof(moofWith(0, [], box('trun', u32s(0, 100_001))), own), corrupt);
  assert.equal(readMoof(moofWith(0, [], box('trun', u32s(0, 100_000))), own).samples, 100_000);
});

test('a box may say its size in 64 bits, and may be as large as it likes', () => {
  const large = Buffer.concat([u32s(1), Buffer.from('mdat'), u32s(1, 5)]);
  assert.deepEqual(readHeader(large), { type: 'mdat', headerBytes: 16, bytes: 2 ** 32 + 5 });
  assert.deepEqual(readHeader(Buffer.concat([Buffer.alloc(3), u32s(70_000), Buffer.from('moov')]), 3), {
    type: 'moov',
    headerBytes: 8,
    bytes: 70_000,
  });
  assert.equal(readHeader(large.subarray(0, 15)), undefined);
  const empty = Buffer.concat([u32s(1), Buffer.from('free'), u32s(0, 16)]);
  assert.equal(readHeader(empty)?.bytes, 16);
  assert.deepEqual(readHeader(Buffer.concat([u32s(8), Buffer.from('free')]))?.bytes, 8);
  const [one] = boxes(Buffer.concat([u32s(1), Buffer.from('uuid'), u32s(0, 20), Buffer.alloc(4)]));
  assert.deepEqual(one, { type: 'uuid', start: 16, end: 20 });
  assert.throws(() => readHeader(Buffer.concat([u32s(1), Buffer.from('mdat'), u32s(0x20_0000, 0)])), corrupt);
});

test('an init segment tells length, flags and number of its track, in either version of its header', () => {
  const trex = box('trex', u32s(0, 3, 1, 40, 0, 0x1_0000));
  const version1 = box('mdhd', u32s(0x100_0000, 0, 0, 0, 0, 90_000, 0, 0, 0));
  const moov = (mdhd: Buffer) => box('moov', box('trak', box('mdia', mdhd)), box('mvex', trex));
  const expected = { timescale: 90_000, defaultSampleTicks: 40, defaultSampleFlags: 0x1_0000, trackId: 3 };
  assert.deepEqual(readInit(moov(version1)), expected);
  assert.deepEqual(readInit(moov(box('mdhd', u32s(0, 0, 0, 90_000, 0, 0)))), expected);
  const twice = box('moov', box('trak', box('mdia', version1)), box('trak'), box('mvex', trex));
  assert.throws(() => readInit(twice), corrupt);
});

test('where the samples begin and whose they are is read from the fragment', () => {
  assert.equal(runOffset(moofWith(0, [], box('trun', u32s(0x1, 1, 88)))), 88);
  assert.equal(runOffset(moofWith(0, [], box('trun', u32s(0, 1)))), undefined);
  assert.equal(fragmentTrackId(moofWith(0x8, [5], box('trun', u32s(0, 1)))), 1);
});

test('a rewritten fragment has the number and the time it was given; without a number it keeps its own', () => {
  for (const version of [0, 1] as const) {
    const moof = madeMoof({ baseMs: 9000, version }, 3);
    const sequence = (bytes: Buffer) => bytes.readUInt32BE(bytes.indexOf('mfhd') + 8);
    assert.equal(sequence(rewriteMoof(moof, { baseTicks: 5 })), 3);
    const moved = rewriteMoof(moof, { sequence: 70_000, baseTicks: 5 });
    assert.deepEqual([sequence(moved), readMoof(moved, track).baseTicks], [70_000, 5]);
  }
});

test('parameter sets are there when both are, whole, and are what they say', () => {
  const avcC = (sps: number[], pps: number[], version = 1) =>
    Buffer.from([
      ...Buffer.from('....avcC'),
      ...[version, 0x42, 0, 30, 0xff, 0xe1, 0, sps.length, ...sps, 1, 0, pps.length, ...pps],
    ]);
  assert.equal(hasParameterSets(avcC([0x67, 1, 2], [0x68])), true);
  assert.equal(hasParameterSets(avcC([0x27, 1, 2], [0x28, 9])), true);
  assert.equal(hasParameterSets(avcC([0x68, 1, 2], [0x68])), false);
  assert.equal(hasParameterSets(avcC([0x67, 1, 2], [0x67])), false);
  assert.equal(hasParameterSets(avcC([0x67, 1, 2], [0x68], 2)), false);
  assert.equal(hasParameterSets(Buffer.from('no sets at all, but long enough to hold them')), false);
  const whole = avcC([0x67, 1, 2], [0x68]);
  for (let length = 0; length < whole.length; length++)
    assert.equal(hasParameterSets(whole.subarray(0, length)), false, `${length} bytes`);
  const long = avcC([0x67, ...Array.from({ length: 199 }, () => 1)], [0x68]);
  assert.equal(hasParameterSets(long), true);
});
