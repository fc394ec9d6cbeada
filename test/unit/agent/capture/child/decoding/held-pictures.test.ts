import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createHeldPictures,
  type HeldPictures,
} from '../../../../../../agent/capture/child/decoding/held-pictures.ts';
import { codedPicture } from './coded.ts';

function fill(held: HeldPictures, count: number, group: number, bytes = 8): void {
  for (let n = 0; n < count; n++)
    held.add({ picture: codedPicture(n, { key: n % group === 0, bytes }), atMs: n });
}
const moments = (held: HeldPictures, atMs: number) => held.since(atMs).map((one) => one.atMs);

test('everything is there from the key picture at or before a moment on, in order', () => {
  const held = createHeldPictures();
  fill(held, 13, 5);
  assert.deepEqual(moments(held, 10), [10, 11, 12]);
  assert.deepEqual(moments(held, 99), [10, 11, 12]);
  assert.deepEqual(moments(held, 9), [5, 6, 7, 8, 9, 10, 11, 12]);
  held.forget(6);
  assert.deepEqual(moments(held, 0), [5, 6, 7, 8, 9, 10, 11, 12], 'what the rest needs is kept');
  held.forget(99);
  assert.deepEqual(moments(held, 0), [10, 11, 12]);
});

test('nothing is there before the first key picture: it could not be decoded', () => {
  const held = createHeldPictures();
  held.add({ picture: codedPicture(0), atMs: 0 });
  assert.deepEqual(moments(held, 0), []);
});

test('what does not fit is forgotten as a whole group, and the next key picture begins anew', () => {
  for (const most of [
    { pictures: 6, bytes: 1_000 },
    { pictures: 1_000, bytes: 48 },
  ]) {
    const held = createHeldPictures(most);
    fill(held, 8, 5);
    assert.deepEqual(moments(held, 0), [5, 6, 7]);
    fill(held, 7, 100);
    assert.deepEqual(moments(held, 0), [], 'a group that is too large has no beginning');
    fill(held, 2, 100);
    assert.deepEqual(moments(held, 0), [0, 1]);
  }
});
