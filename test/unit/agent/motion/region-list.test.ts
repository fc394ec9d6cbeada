import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MotionDecision, Region } from '../../../../agent/motion/motion.ts';
import { createRegionList } from '../../../../agent/motion/region-list.ts';
import { createGateRig } from './zones/gate-rig.ts';

test('a list has as many regions as were asked for since it was cleared, in the same arrays, and no more than it may', () => {
  const list = createRegionList(2);
  assert.deepEqual([list.count(), list.list()], [0, []]);
  for (const round of [1, 2]) {
    list.clear();
    const first = list.next();
    assert.ok(first);
    first[2] = round;
    assert.deepEqual([list.count(), list.list()], [1, [[0, 0, round, 0]]]);
    assert.ok(list.next());
    assert.equal(list.next(), undefined);
    assert.equal(list.list().length, 2);
    assert.equal(list.list()[0], first);
  }
});

test('a model that tells its regions in the same arrays each time is followed like one that makes new ones', () => {
  const settings = {
    zones: [
      {
        id: 'gate',
        polygon: [
          [0.5, 0.3],
          [1, 0.3],
          [1, 1],
          [0.5, 1],
        ] as [number, number][],
        dwellMs: 1_000,
      },
    ],
    lines: [
      {
        id: 'fence',
        from: [0.4, 0] as [number, number],
        to: [0.4, 1] as [number, number],
        direction: 'both' as const,
      },
    ],
  };
  const boxes = (n: number): Region[] => [
    [n * 0.015, 0.4, n * 0.015 + 0.06, 0.8],
    [0.9 - n * 0.015, 0.1, 0.95 - n * 0.015, 0.35],
  ];
  const told = (regions: readonly Region[]): MotionDecision => ({
    kind: 'motion',
    regions,
    tracks: [1, 2],
    presence: false,
  });
  let n = 0;
  const fresh = createGateRig(settings, () => told(boxes(n++))).watch(60);
  n = 0;
  const [first, second] = boxes(0) as [[number, number, number, number], [number, number, number, number]];
  const same = told([first, second]);
  const reused = createGateRig(settings, () => {
    const [a, b] = boxes(n++) as [Region, Region];
    for (let k = 0; k < 4; k++) [first[k], second[k]] = [a[k] as number, b[k] as number];
    return same;
  }).watch(60);
  assert.deepEqual(reused, fresh);
  const causes = new Set(
    fresh.map((decision) => (decision.kind === 'motion' ? decision.cause.kind : decision.kind)),
  );
  assert.deepEqual([...causes].toSorted(), ['line', 'suppressed', 'zone']);
});
