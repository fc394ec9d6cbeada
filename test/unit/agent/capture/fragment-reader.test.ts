import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFragmentReader, type Fragment } from '../../../../agent/capture/fragment-reader.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { box, madeBytes, madeFragments, madeInit, madeMoof, seconds } from './made-fragments.ts';

const whole = (fragment: Fragment) => Buffer.concat([fragment.moof, ...fragment.mdat]);

function readInPieces(stream: Buffer, pieceBytes: number): Fragment[] {
  const fragments: Fragment[] = [];
  const reader = createFragmentReader({
    maxBoxBytes: 1 << 20,
    onInit: () => undefined,
    onFragment: (fragment) => fragments.push(fragment),
  });
  for (let at = 0; at < stream.length; at += pieceBytes)
    reader.push(stream.subarray(at, at + pieceBytes), at);
  return fragments;
}

test('however the stream is cut into pieces, the same fragments come out, byte for byte', () => {
  const wishes = seconds(4);
  const parts = wishes.map((wish) => madeBytes(wish));
  const stream = Buffer.concat([madeInit(), ...parts]);
  for (const pieceBytes of [1, 3, 8, 13, 100, stream.length]) {
    const fragments = readInPieces(stream, pieceBytes);
    assert.deepEqual(fragments.map(whole), parts, `in pieces of ${pieceBytes}`);
    assert.deepEqual(
      fragments.map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [0, 1000],
        [1000, 2000],
        [2000, 3000],
        [3000, 4000],
      ],
    );
  }
});

test('a fragment counts as come when its last byte has', () => {
  const stream = Buffer.concat([madeInit(), madeBytes({ baseMs: 0 })]);
  const [fragment] = readInPieces(stream, stream.length - 1);
  assert.equal(fragment?.arrivedMs, stream.length - 1);
});

test('bytes that are no fragmented MP4 are refused', () => {
  const push =
    (...bytes: Buffer[]) =>
    () => {
      const reader = createFragmentReader({
        maxBoxBytes: 4096,
        onInit: () => undefined,
        onFragment: () => undefined,
      });
      for (const part of bytes) reader.push(part, 0);
    };
  const corrupt = (error: unknown) => error instanceof Failure && error.kind === 'corrupt';
  assert.throws(push(Buffer.alloc(64)), corrupt);
  assert.throws(push(Buffer.from('ffffffff6d646174', 'hex')), corrupt, 'a box larger than allowed');
  assert.throws(push(box('mdat', Buffer.alloc(8))), corrupt, 'data before the index');
  assert.throws(
    push(madeInit(), madeMoof({ baseMs: 0 }), box('mdat', Buffer.alloc(5))),
    corrupt,
    'wrong sizes',
  );
  assert.throws(push(madeInit(), madeInit()), corrupt, 'a second format');
});

test('init comes before the first fragment', () => {
  const { init, track, fragments } = madeFragments(seconds(1));
  assert.deepEqual(init, madeInit());
  assert.equal(track.timescale, 1000);
  assert.equal(fragments.length, 1);
});
