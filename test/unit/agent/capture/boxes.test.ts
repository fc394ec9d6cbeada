import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxes, readHeader, readInit, readMoof, rewriteMoof } from '../../../../agent/capture/boxes.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { box, madeInit, madeMoof } from './made-fragments.ts';

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
