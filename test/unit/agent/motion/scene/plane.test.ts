import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackground } from '../../../../../agent/motion/scene/background.ts';
import { createPlane, nextChanged } from '../../../../../agent/motion/scene/plane.ts';

/** Repeatable, 0 to 1. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('a word is passed over exactly when each of its pixels keeps within its limit', () => {
  const [frame, scene, limits] = [createPlane(4), createPlane(4), createPlane(4)];
  const random = createRandom(5);
  const levels = [0, 1, 127, 128, 254, 255];
  const any = () => (random() < 0.5 ? (levels[Math.floor(random() * 6)] as number) : random() * 256);
  let passed = 0;
  for (let round = 0; round < 50_000; round++) {
    for (let i = 0; i < 4; i++) {
      scene.bytes[i] = any();
      limits.bytes[i] = any();
      // Mostly near the limit, on either side of it.
      const near = (limits.bytes[i] as number) + Math.round(random() * 3) - 2;
      frame.bytes[i] = Math.max(
        0,
        Math.min(255, (scene.bytes[i] as number) + (random() < 0.5 ? near : -near)),
      );
    }
    const within = frame.bytes.every(
      (level, i) => Math.abs(level - (scene.bytes[i] as number)) <= (limits.bytes[i] as number),
    );
    if (within) passed++;
    assert.equal(
      nextChanged(frame.words, scene.words, limits.words, 0, 1),
      within ? 1 : 0,
      `${frame.bytes.join()} against ${scene.bytes.join()}, limits ${limits.bytes.join()}`,
    );
  }
  assert.ok(passed > 5_000 && passed < 45_000, `${passed}`);
});

test('each pixel beyond its limit is counted once, in its own cell, whatever the size of the picture', () => {
  for (const [width, height] of [
    [37, 19],
    [38, 9],
    [39, 8],
    [40, 16],
    [5, 3],
  ] as const) {
    const random = createRandom(width * height);
    const grey = () => Uint8Array.from({ length: width * height }, () => 100 + random() * 8);
    const background = createBackground({ width, height }, 9);
    background.reset(grey(), 0);
    for (let n = 1; n < 6; n++) background.learn(grey(), n * 200, n);
    const frame = grey().map((level) => (random() < 0.1 ? level + 100 : level));
    const expected = new Uint16Array(background.changed.length);
    for (let i = 0; i < frame.length; i++) {
      const away = Math.abs((frame[i] as number) - (background.scene[i] as number));
      if (away <= (background.limits[i] as number)) continue;
      const cell = Math.floor(i / width / 8) * background.columns + Math.floor((i % width) / 8);
      expected[cell] = (expected[cell] as number) + 1;
    }
    background.compare(frame, 1_200, 200, false);
    assert.deepEqual([...background.changed], [...expected], `${width} x ${height}`);
    assert.ok(expected.some((count) => count > 0));
  }
});
