import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PICTURE_BYTES } from '../../../../../agent/capture/messages.ts';
import { snapshotOf } from '../../../../../agent/capture/supervision/picture.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

const bytes = Buffer.from([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);
const answer = {
  type: 'picture',
  requestId: 1,
  jpeg: bytes.toString('base64'),
  widthPx: 640,
  heightPx: 360,
  takenMs: 1_800_000_000_000,
} as const;

test('a picture comes out as it went in', () => {
  const { jpeg, ...rest } = snapshotOf(answer);
  assert.deepEqual(Buffer.from(jpeg), bytes);
  assert.deepEqual(rest, { widthPx: 640, heightPx: 360, takenMs: 1_800_000_000_000 });
});

test('what a broken child calls a picture is not handed on', () => {
  const large = Buffer.concat([bytes.subarray(0, 2), Buffer.alloc(MAX_PICTURE_BYTES), bytes.subarray(-2)]);
  const broken = [
    { ...answer, jpeg: Buffer.from('no picture').toString('base64') },
    { ...answer, jpeg: bytes.subarray(0, 5).toString('base64') },
    { ...answer, jpeg: large.toString('base64') },
    { ...answer, jpeg: '' },
    { ...answer, jpeg: 7 as unknown as string },
    { ...answer, widthPx: 0 },
    { ...answer, heightPx: 1.5 },
    { ...answer, widthPx: 1e9 },
    { ...answer, takenMs: Number.NaN },
    { type: 'paused', requestId: 1 } as const,
  ];
  for (const one of broken)
    assert.throws(
      () => snapshotOf(one),
      (error: unknown) => error instanceof Failure && error.code === 'capture.no-picture',
      JSON.stringify(one).slice(0, 100),
    );
});
