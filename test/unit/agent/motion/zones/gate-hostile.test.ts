import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, Masks, parse, Zones } from '@dachawatch/contracts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createMotionDetector, type Region } from '../../../../../agent/motion/motion.ts';
import { createMotionGate } from '../../../../../agent/motion/zones/gate.ts';
import type { GateDecision } from '../../../../../agent/motion/zones/zone-model.ts';
import { createMaskedFrames } from '../../../../../agent/motion/zones/mask.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';
import { createGateRig, moving, NOON_MS, said, standing, unsure } from './gate-rig.ts';
import { SIZE, wall, withBox } from '../scenes.ts';

const box = (left: number, top: number, right: number, bottom: number): [number, number][] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];
const FENCE = { id: 'fence', from: [0.5, 1] as [number, number], to: [0.5, 0] as [number, number] };

/** The real model behind a gate that looks at a made scene. */
function look(
  settings: Partial<ZoneSettings>,
  at: (x: number, y: number, n: number) => number,
  frames: number,
  everyMs = 200,
): GateDecision[] {
  const clock = { nowMs: () => NOON_MS };
  const gate = createMotionGate({
    settings: { sensitivity: 5, ...settings },
    size: SIZE,
    framesPerSecond: 1000 / everyMs,
    createDetector: createMotionDetector,
    clock,
  });
  const frame = new Uint8Array(SIZE.width * SIZE.height);
  let seed = 7;
  return Array.from({ length: frames }, (_, n) => {
    for (let i = 0; i < frame.length; i++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      frame[i] = at(i % SIZE.width, Math.floor(i / SIZE.width), n) + ((seed >>> 28) - 8) / 3;
    }
    return structuredClone(gate.analyse(frame, n * everyMs));
  });
}

test('who crossed in the direction that counts and went back before the model was sure is told by that direction', () => {
  const path = [0.2, 0.3, 0.42, 0.56, 0.7, 0.58, 0.46, 0.42, 0.4, 0.38];
  const at = (n: number): Region => standing(path[Math.min(n, path.length - 1)] as number, 0.7);
  const rig = createGateRig({ zones: [], lines: [{ ...FENCE, direction: 'left-to-right' }] }, (atMs) => {
    const n = Math.round((atMs - 1_000) / 200);
    return n < 9 ? unsure('too-short', at(n)) : moving(at(n));
  });
  const causes = rig.watch(12).flatMap((one) => (one.kind === 'motion' ? [one.cause] : []));
  assert.deepEqual(causes, [{ kind: 'line', id: 'fence', direction: 'left-to-right' }]);
});

test('a garbage frame is refused by the gate and leaves no trace: neither in what was seen nor in the pace', () => {
  const zones = [{ id: 'all', polygon: box(0, 0, 1, 1), dwellMs: 2_000 }];
  const clean = createGateRig({ zones }, () => moving(standing(0.3, 0.7)));
  const fed = createGateRig({ zones }, () => moving(standing(0.3, 0.7)));
  for (let n = 0; n < 20; n++) {
    const atMs = 1_000 + n * 200;
    for (const length of [0, 1, fed.frame.length - 1, fed.frame.length * 3])
      assert.throws(
        () => fed.gate.analyse(new Uint8Array(length), atMs + 60_000),
        (error: unknown) => error instanceof Failure && error.code === 'motion.frame-size',
      );
    assert.equal(fed.gate.seen().length, fed.frame.length);
    assert.deepEqual(fed.gate.analyse(fed.frame, atMs), clean.gate.analyse(clean.frame, atMs));
    assert.deepEqual(fed.gate.state(), clean.gate.state());
  }
});

test('polygons that mean nothing are refused with their place: outside, crossing, too few, too many', () => {
  const round = (corners: number): [number, number][] =>
    Array.from({ length: corners }, (_, k) => {
      const angle = (k / corners) * 2 * Math.PI;
      return [0.5 + 0.4 * Math.cos(angle), 0.5 + 0.4 * Math.sin(angle)];
    });
  const bow: [number, number][] = [
    [0.1, 0.1],
    [0.9, 0.9],
    [0.9, 0.1],
    [0.1, 0.9],
  ];
  for (const polygon of [bow, round(200), round(2), box(-0.1, 0, 0.5, 0.5), box(0, 0, 0.5, 1.01)])
    for (const schema of [Zones, Masks])
      assert.throws(() => parse(schema, [{ id: 'a', polygon }]), /\/0\/polygon/u);
  for (const polygon of [round(3), round(32), box(0, 0, 1, 1)])
    assert.equal(parse(Zones, [{ id: 'a', polygon }]).length, 1);
  assert.throws(() => parse(Line, { ...FENCE, to: FENCE.from, direction: 'both' }), /another place/u);
});

test('a mask over everything: nothing is seen, nothing breaks, and no pixel goes on', () => {
  const masks = [{ id: 'all', polygon: box(0, 0, 1, 1) }];
  const seen = look(
    { masks },
    withBox((n) => n * 6 - 60, { width: 30, height: 80 }),
    60,
  );
  assert.deepEqual([...new Set(said(seen))].toSorted(), ['learning', 'quiet']);
  const frames = createMaskedFrames(masks, SIZE);
  assert.ok(frames?.apply(new Uint8Array(SIZE.width * SIZE.height).fill(200)).every((grey) => grey === 0));
});

test('who comes out from behind a mask is seen, wherever its border lies within a cell of the model', () => {
  for (let border = 152; border < 160; border++) {
    const masks = [{ id: 'street', polygon: box(0, 0, border / SIZE.width, 1) }];
    const walking = withBox((n) => (n < 30 ? -60 : 90 + (n - 30) * 4), { width: 16, height: 44 });
    const first = look({ masks }, walking, 75).findIndex(({ kind }) => kind === 'motion');
    // It is wholly behind the border until picture 41 or later.
    assert.ok(first > 41 && first <= 52, `border ${border}: ${first}`);
  }
});

test('a shaking pole beside a slanted mask is no motion', () => {
  const masks: NonNullable<ZoneSettings['masks']> = [
    {
      id: 'roof',
      polygon: [
        [0.1, 0.1],
        [0.9, 0.3],
        [0.4, 0.9],
      ],
    },
  ];
  const shaking = (x: number, y: number, n: number) =>
    wall(x + 8 + Math.round(3 * Math.sin(n * 2.3)), y + 8 + Math.round(2 * Math.sin(n * 1.7)));
  assert.ok(look({ masks }, shaking, 150).every(({ kind }) => kind !== 'motion'));
});

test('where two zones of different sensitivity overlap, the finer one sees what is too small for the other', () => {
  const zones = [
    { id: 'rough', polygon: box(0, 0, 0.7, 1), sensitivity: 3 },
    { id: 'fine', polygon: box(0.3, 0, 1, 1), sensitivity: 8 },
  ];
  const small = withBox((n) => (n < 30 ? -60 : (n - 30) * 6), { width: 7, height: 14, level: 40 });
  const seen = new Set(said(look({ zones }, small, 85)).filter((word) => word.startsWith('zone ')));
  assert.deepEqual([...seen], ['zone fine']);
});

test('somebody who walks in and stands there counts after the stay that his zone asks, at key frames, too', () => {
  const zones = [{ id: 'door', polygon: box(0.3, 0.2, 0.7, 1), dwellMs: 5_000 }];
  for (const [everyMs, enters] of [
    [200, 30],
    [2_000, 8],
  ] as const) {
    const standsFrom = enters + 6_000 / everyMs;
    const at = (n: number) => {
      const seconds = ((n - enters) * everyMs) / 1_000;
      // He shifts on his feet; nobody stands like a post.
      return n < enters ? -60 : n < standsFrom ? -20 + seconds * 30 : 160 + 3 * Math.sin(seconds * 2);
    };
    const seen = look(
      { zones },
      withBox(at, { width: 16, height: 44, level: 30 }),
      enters + 30_000 / everyMs,
      everyMs,
    );
    const words = said(seen);
    const inZone = words.findIndex((word) => word === 'zone-dwell');
    const first = words.indexOf('zone door');
    assert.ok(first > inZone && inZone > enters, words.join());
    const stayMs = (first - inZone) * everyMs;
    assert.ok(stayMs >= 5_000 && stayMs <= 5_000 + everyMs, `${stayMs} ms at one picture in ${everyMs} ms`);
  }
});

test('a line crossed there and back is told twice when both ways count, once when one does', () => {
  const there = (n: number) => (n < 30 ? -60 : n < 72 ? (n - 30) * 6 - 20 : 232 - (n - 72) * 6);
  const told = (direction: 'both' | 'left-to-right' | 'right-to-left') =>
    look(
      { zones: [], lines: [{ ...FENCE, direction }] },
      withBox(there, { width: 16, height: 44, level: 30 }),
      110,
    ).flatMap((one) => (one.kind === 'motion' && one.cause.kind === 'line' ? [one.cause.direction] : []));
  assert.deepEqual(told('both'), ['left-to-right', 'right-to-left']);
  assert.deepEqual(told('left-to-right'), ['left-to-right']);
  assert.deepEqual(told('right-to-left'), ['right-to-left']);
});
