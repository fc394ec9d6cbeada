import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCameraTime } from '../../../../../agent/capture/packing/camera-time.ts';

const FRAME_MS = 100;
const HOUR_MS = 3_600_000;

/** A camera that takes a picture every 100 ms. @returns where each is placed, and which ones began another count */
function place(
  pictures: number,
  stamp: (trueMs: number, index: number) => number | undefined,
  delay: (index: number) => number = () => 0,
) {
  const time = createCameraTime();
  const placed = Array.from({ length: pictures }, (_, index) => {
    const trueMs = index * FRAME_MS;
    return time.place({
      stampMs: stamp(trueMs, index),
      arrivedMs: 50_000 + trueMs + delay(index),
      reordered: false,
    });
  });
  return {
    at: placed.map(({ mediaMs }) => mediaMs),
    steps: placed.flatMap(({ stepped }, index) => (stepped ? [index] : [])),
  };
}

/** Each is placed behind the one before it, and none is far from when it was taken. */
function assertReal(at: readonly number[], within: number): void {
  for (const [index, mediaMs] of at.entries()) {
    if (index > 0) assert.ok(mediaMs > (at[index - 1] ?? 0), `picture ${index} goes back`);
    const besides = mediaMs - index * FRAME_MS;
    assert.ok(Math.abs(besides) <= within, `picture ${index} is ${besides} ms beside the truth`);
  }
}

test('stamps that agree with arrivals count, however unevenly pictures come', () => {
  const bursts = (index: number) => (index % 20 < 5 ? 400 - (index % 5) * 100 : 7 * (index % 3));
  const { at, steps } = place(300, (trueMs) => 123_456 + trueMs, bursts);
  assert.deepEqual(
    at.map((mediaMs) => Math.round(mediaMs)),
    at.map((_, index) => index * FRAME_MS),
  );
  assert.deepEqual(steps, []);
});

for (const byMs of [-1_000, -20_000, -HOUR_MS, 5_000, 60_000, 10 * HOUR_MS])
  test(`a clock that is set by ${byMs} ms goes on where it was, and the step is noticed once`, () => {
    const { at, steps } = place(200, (trueMs, index) => (index < 80 ? trueMs : trueMs + byMs));
    assertReal(at, 150);
    assert.deepEqual(steps, [81]);
  });

for (const byMs of [10 * HOUR_MS, -HOUR_MS, -3_000, 2_000])
  test(`one odd stamp of ${byMs} ms in thirty moves nothing`, () => {
    const { at, steps } = place(300, (trueMs, index) => trueMs + (index % 30 === 7 ? byMs : 0));
    assertReal(at, 100);
    assert.deepEqual(steps, []);
  });

for (const rate of [0.5, 0.84, 0.95, 1.1, 1.25, 2])
  test(`a clock that counts ${rate} s in a second is stretched to real time`, () => {
    const { at } = place(1200, (trueMs) => trueMs * rate);
    for (const [from, to] of [
      [100, 400],
      [400, 900],
      [900, 1199],
    ] as const) {
      const took = (at[to] ?? 0) - (at[from] ?? 0);
      const truth = (to - from) * FRAME_MS;
      assert.ok(Math.abs(took - truth) <= truth * 0.05, `${took} ms of ${truth} ms`);
    }
  });

test('stamps that stand still, mean nothing or are missing leave arrivals, and pictures are spread', () => {
  const jitter = (index: number) => [0, 40, 10, 80][index % 4] ?? 0;
  for (const stamp of [
    () => 0,
    () => undefined,
    (_: number, index: number) => ((index * 7919) % 1000) * 13_000,
  ]) {
    const { at } = place(300, stamp, jitter);
    assertReal(at, 400);
    for (const [index, mediaMs] of at.entries())
      if (index > 20)
        assert.ok(mediaMs - (at[index - 1] ?? 0) >= FRAME_MS / 2, `picture ${index} is squeezed`);
  }
});

test('pictures that were held up on their way keep the time they were taken', () => {
  const held = (index: number) => (index >= 50 && index < 90 ? (90 - index) * FRAME_MS : 0);
  const { at, steps } = place(200, (trueMs) => trueMs, held);
  assertReal(at, 1);
  assert.deepEqual(steps, []);
});

test('a picture that is shown before one that came earlier is placed there', () => {
  const time = createCameraTime();
  const at = [0, 300, 100, 200, 600, 400, 500].map(
    (stampMs, index) =>
      time.place({ stampMs, arrivedMs: 1_000 + index * 100, reordered: ![0, 300, 600].includes(stampMs) })
        .mediaMs,
  );
  assert.deepEqual(at, [0, 300, 100, 200, 600, 400, 500]);
});
