import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPictureMoments } from '../../../../../../agent/capture/child/decoding/picture-moments.ts';

test('pictures that are fetched together keep the time between them', () => {
  const moments = createPictureMoments();
  const seen: number[] = [];
  for (let n = 0; n < 60; n++) {
    const takenMs = n * 66;
    const arrivedMs = 5_000 + Math.ceil((takenMs + 1) / 200) * 200;
    seen.push(moments.of({ mediaMs: takenMs, arrivedMs, reordered: false }));
  }
  const late = seen.slice(30);
  for (const [index, atMs] of late.entries())
    if (index > 0) {
      const apartMs = atMs - (late[index - 1] ?? 0);
      assert.ok(Math.abs(apartMs - 66) <= 5, `${apartMs} ms apart`);
    }
});

test('a picture is never said to be taken later than it came, nor before the one before it', () => {
  const moments = createPictureMoments();
  let before = Number.NEGATIVE_INFINITY;
  for (const [mediaMs, arrivedMs] of [
    [0, 1_000],
    [100, 1_300],
    [200, 1_150],
    [300, 1_400],
  ] as const) {
    const atMs = moments.of({ mediaMs, arrivedMs, reordered: false });
    assert.ok(atMs > before);
    before = atMs;
  }
  assert.ok(before <= 1_400);
});
