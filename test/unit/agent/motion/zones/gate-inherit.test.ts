import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zone } from '@dachawatch/contracts';
import { createMotionDetector } from '../../../../../agent/motion/motion.ts';
import { createMotionGate, type MotionGate } from '../../../../../agent/motion/zones/gate.ts';
import type { GateDecision } from '../../../../../agent/motion/zones/zone-model.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';
import { FPS, SIZE, withBox } from '../scenes.ts';

/** Settings that change while the product's own model watches: a grey wall, a box that comes at frame 60. */
const ENTERS = 60;
const picture = withBox((n) => (n < ENTERS ? -50 : 2 * (n - ENTERS)));

function frameOf(n: number): Uint8Array {
  const frame = new Uint8Array(SIZE.width * SIZE.height);
  for (let y = 0, i = 0; y < SIZE.height; y++)
    // The last bit of noise, so that no two frames are the same.
    for (let x = 0; x < SIZE.width; x++, i++) frame[i] = picture(x, y, n) + ((x * 7 + y * 13 + n * 5) & 3);
  return frame;
}

function gateOf(settings: Partial<ZoneSettings>, before?: MotionGate) {
  let learners = 0;
  const gate = createMotionGate({
    settings: { sensitivity: 5, ...settings },
    size: SIZE,
    framesPerSecond: FPS,
    clock: { nowMs: () => 0 },
    createDetector: (deps) => {
      learners++;
      return createMotionDetector(deps);
    },
    ...(before ? { before } : {}),
  });
  return { gate, learners: () => learners };
}
const watch = (gate: MotionGate, from: number, to: number): GateDecision[] =>
  Array.from({ length: to - from }, (_, i) =>
    structuredClone(gate.analyse(frameOf(from + i), (from + i) * (1000 / FPS))),
  );
const words = (decisions: readonly GateDecision[]) =>
  new Set(decisions.map((one) => (one.kind === 'suppressed' ? one.reason : one.kind)));

const RIGHT: Zone = {
  id: 'right',
  polygon: [
    [0.5, 0],
    [1, 0],
    [1, 1],
    [0.5, 1],
  ],
};
const MASK = {
  id: 'corner',
  polygon: [
    [0, 0],
    [0.1, 0],
    [0, 0.1],
  ] as [number, number][],
};

test('another sensitivity goes on with the scene that was learnt: nothing is missed meanwhile', () => {
  for (const sensitivity of [1, 3, 8, 10]) {
    const old = gateOf({});
    watch(old.gate, 0, ENTERS - 1);
    const { gate, learners } = gateOf({ sensitivity }, old.gate);
    assert.equal(learners(), 0);
    const after = watch(gate, ENTERS - 1, ENTERS + 90);
    assert.ok(!words(after).has('learning'), `sensitivity ${sensitivity}`);
    if (sensitivity > 1) assert.ok(words(after).has('motion'), `sensitivity ${sensitivity}`);
  }
});

test('a model that was retuned judges as one that was made for that sensitivity', () => {
  const find = (decisions: readonly GateDecision[]) => decisions.findIndex(({ kind }) => kind === 'motion');
  for (const sensitivity of [2, 9]) {
    const made = gateOf({ sensitivity }).gate;
    watch(made, 0, 5);
    const old = gateOf({}).gate;
    watch(old, 0, 5);
    const retuned = gateOf({ sensitivity }, old).gate;
    const [a, b] = [find(watch(made, 5, 150)), find(watch(retuned, 5, 150))];
    assert.ok(a > 0 && Math.abs(a - b) <= 2, `sensitivity ${sensitivity}: frame ${a} and ${b}`);
  }
});

test('somebody who stands there while the settings change is not taken for scene', () => {
  const old = gateOf({});
  const walking = watch(old.gate, 0, ENTERS + 40);
  assert.equal(walking.at(-1)?.kind, 'motion');
  const { gate } = gateOf({ sensitivity: 6 }, old.gate);
  assert.ok(words(watch(gate, ENTERS + 40, ENTERS + 50)).has('motion'));
});

test('zones and lines come and go without another look at the scene; a zone with a sensitivity of its own learns', () => {
  const old = gateOf({});
  watch(old.gate, 0, 30);
  const zoned = gateOf({ zones: [RIGHT], lines: [] }, old.gate);
  assert.equal(zoned.learners(), 0);
  assert.ok(!words(watch(zoned.gate, 30, 40)).has('learning'));
  const two = gateOf({ zones: [RIGHT, { ...RIGHT, id: 'fine', sensitivity: 9 }] }, zoned.gate);
  assert.equal(two.learners(), 1);
  assert.deepEqual(new Set(two.gate.detectors.keys()), new Set([5, 9]));
  const one = gateOf({ sensitivity: 9 }, two.gate);
  assert.equal(one.gate.detectors.get(9), two.gate.detectors.get(9));
});

test('other masks are other pixels: the scene is learnt again, for a second and no longer', () => {
  const old = gateOf({});
  watch(old.gate, 0, 30);
  const { gate, learners } = gateOf({ masks: [MASK] }, old.gate);
  assert.equal(learners(), 1);
  const after = watch(gate, 30, 45);
  const blind = after.filter((one) => one.kind === 'suppressed' && one.reason === 'learning').length;
  assert.ok(blind > 0 && blind <= FPS + 1, `${blind} frames`);
  const same = gateOf({ sensitivity: 7, masks: [structuredClone(MASK)] }, gate);
  assert.equal(same.learners(), 0);
});
