import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoderQueue } from '../../../../../../agent/capture/child/decoding/decoder-queue.ts';
import { codedPicture, numberIn } from './coded.ts';

const IDLE = { buffers: 0, bytes: 0 };

/** A decoder that takes everything, and says of itself what it is told. */
function queueBefore(waiting: () => { buffers: number; bytes: number } = () => ({ buffers: 1, bytes: 1 })) {
  const given: { n: number; stampMs: number }[] = [];
  const queue = createDecoderQueue(() => ({
    push: (coded, stampMs) => void given.push({ n: numberIn(coded), stampMs }),
    waiting,
  }));
  const give = (n: number, more: Parameters<typeof codedPicture>[1] = {}, nowMs = n * 100) =>
    queue.give({ picture: codedPicture(n, more), atMs: n * 100 }, nowMs);
  return { queue, given, give };
}

test('each picture that comes out has the moment of the one that went in', () => {
  const { queue, give } = queueBefore();
  for (let n = 0; n < 4; n++) give(n, { key: n === 0 });
  assert.deepEqual(
    [0, 1, 2, 3].map(() => queue.out(1_000)),
    [0, 100, 200, 300],
  );
  assert.ok(queue.isEmpty());
});

test('B pictures come out in the order in which they are shown', () => {
  const { queue, give } = queueBefore();
  give(0, { key: true });
  give(3);
  give(1, { reordered: true });
  give(2, { reordered: true });
  assert.deepEqual(
    [0, 1, 2, 3].map(() => queue.out(1_000)),
    [0, 100, 200, 300],
  );
});

test('what is decoded again goes forward in the time of the decoder, and has its own moment when it comes out', () => {
  const { queue, given, give } = queueBefore();
  for (let n = 0; n < 3; n++) give(n, { key: n === 0 });
  queue.voidAll();
  for (let n = 0; n < 3; n++) give(n, { key: n === 0 });
  const stamps = given.map(({ stampMs }) => stampMs);
  assert.deepEqual(
    stamps,
    stamps.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(stamps).size, 6);
  assert.deepEqual(
    Array.from({ length: 6 }, () => queue.out(1_000)),
    [undefined, undefined, undefined, 0, 100, 200],
  );
});

test('a picture that the decoder drops makes no later one wrong for good', () => {
  let state = { buffers: 1, bytes: 1 };
  const { queue, give } = queueBefore(() => state);
  give(0, { key: true });
  give(1);
  assert.equal(queue.out(150), 0);
  // The second one never comes; a second later the decoder has nothing to do.
  state = IDLE;
  give(10, { key: true });
  assert.equal(queue.out(1_050), 1_000);
});

test('what comes out of a decoder without having gone in was taken now', () => {
  const { queue } = queueBefore();
  assert.equal(queue.out(77), 77);
});

for (const [what, much] of [
  ['pictures', { buffers: 150, bytes: 0 }],
  ['bytes', { buffers: 1, bytes: 32 * 1024 * 1024 }],
] as const)
  test(`a decoder behind which too many ${what} wait is given nothing before the next key picture`, () => {
    let state: { buffers: number; bytes: number } = much;
    const { queue, given, give } = queueBefore(() => state);
    assert.equal(give(0, { key: true }), false);
    state = IDLE;
    assert.equal(give(1), false);
    assert.equal(give(2, { key: true }), true);
    assert.equal(give(3), true);
    assert.deepEqual(
      given.map(({ n }) => n),
      [2, 3],
    );
    assert.equal(queue.given, 2);
  });

test('before there is a decoder nothing is given', () => {
  const queue = createDecoderQueue(() => undefined);
  assert.equal(queue.give({ picture: codedPicture(0, { key: true }), atMs: 0 }, 0), false);
});
