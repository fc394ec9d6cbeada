import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mask, Zone } from '@dachawatch/contracts';
import { createMotionDetector, type Region } from '../../../../../agent/motion/motion.ts';
import { createMotionGate } from '../../../../../agent/motion/zones/gate.ts';
import type { GateDecision } from '../../../../../agent/motion/zones/zone-model.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';
import { FPS, SIZE, wall, withBox } from '../scenes.ts';

/** The lower half, save for a strip at the bottom. */
const MASK: Mask = {
  id: 'lawn',
  polygon: [
    [0, 0.4],
    [1, 0.4],
    [1, 0.9],
    [0, 0.9],
  ],
};

/** Runs the product's own model behind a gate over a made scene. */
function watch(
  settings: Partial<ZoneSettings>,
  at: (x: number, y: number, n: number) => number,
  frames = 60,
): GateDecision[] {
  const gate = createMotionGate({
    settings: { sensitivity: 5, ...settings },
    size: SIZE,
    framesPerSecond: FPS,
    createDetector: createMotionDetector,
    clock: { nowMs: () => Date.UTC(2026, 10, 22, 12) },
  });
  const frame = new Uint8Array(SIZE.width * SIZE.height);
  let state = 7;
  return Array.from({ length: frames }, (_, n) => {
    for (let y = 0, i = 0; y < SIZE.height; y++)
      for (let x = 0; x < SIZE.width; x++, i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        frame[i] = Math.max(0, Math.min(255, at(x, y, n) + (state / 2 ** 32 - 0.5) * 6));
      }
    return structuredClone(gate.analyse(frame, n * (1000 / FPS)));
  });
}
const regionsOf = (decisions: readonly GateDecision[]): Region[] =>
  decisions.flatMap((decision) => (decision.kind === 'quiet' ? [] : [...decision.regions]));
const underMask = ([, top, , bottom]: Region) => top >= 0.42 && bottom <= 0.88;
const walking = withBox((n) => (n < 15 ? -50 : (n - 15) * 8), { y: 85, width: 20, height: 50 });

test('what walks under a mask is quiet, and triggers without it', () => {
  assert.deepEqual(regionsOf(watch({ masks: [MASK] }, walking)), []);
  assert.ok(watch({}, walking).some(({ kind }) => kind === 'motion'));
});

test('no region arises under a mask when the light changes, slowly, at once, or with gain', () => {
  const changes: ((level: number, n: number) => number)[] = [
    (level, n) => level + Math.min(60, n),
    (level, n) => level - Math.min(50, n),
    (level, n) => (n < 25 ? level : level + 35),
    (level, n) => (n < 25 ? level : level * 1.4),
    (level, n) => level + 25 * Math.sin(n / 6),
  ];
  for (const change of changes) {
    const seen = watch({ masks: [MASK] }, (x, y, n) => change(wall(x, y), n));
    assert.deepEqual(regionsOf(seen).filter(underMask), []);
    assert.ok(!seen.some(({ kind }) => kind === 'motion'));
  }
});

test('a mask does not take part when the pole shakes', () => {
  const seen = watch({ masks: [MASK] }, (x, y, n) =>
    wall(x + 4 + Math.round(2 * Math.sin(n * 1.7)), y + 2 + (n % 3)),
  );
  assert.ok(!seen.some(({ kind }) => kind === 'motion'));
});

test('beside a large mask the rest of the picture is still watched', () => {
  const above = withBox((n) => (n < 15 ? -50 : (n - 15) * 8), { y: 25, width: 16, height: 36 });
  assert.ok(watch({ masks: [MASK] }, above).some(({ kind }) => kind === 'motion'));
});

test('a trigger names the zone through which something really walks, and only while it is there', () => {
  const zone = (id: string, left: number, right: number): Zone => ({
    id,
    polygon: [
      [left, 0],
      [right, 0],
      [right, 1],
      [left, 1],
    ],
  });
  const seen = watch({ zones: [zone('west', 0.2, 0.4), zone('east', 0.6, 0.8)] }, walking);
  const named = seen.flatMap((decision) =>
    decision.kind === 'motion' && decision.cause.kind === 'zone' ? [decision.cause.id] : [],
  );
  assert.deepEqual([...new Set(named)], ['west', 'east']);
  assert.ok(seen.some((decision) => decision.kind === 'suppressed' && decision.reason === 'outside-zones'));
});
