import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line } from '@dachawatch/contracts';
import { createLineWatch, unknownSide } from '../../../../../agent/motion/zones/lines.ts';

const ASPECT = 9 / 16;
/** A line up the middle of the picture: walking along it, left is the left of the picture. */
const UP = { from: [0.5, 0.9], to: [0.5, 0.1] } as const;

function walk(line: Pick<Line, 'from' | 'to' | 'direction'>, path: readonly (readonly [number, number])[]) {
  const step = createLineWatch(line, ASPECT);
  const side = unknownSide();
  return path.map(([x, y]) => step(side, { x, y })).filter((crossing) => crossing !== undefined);
}
const line = (direction: Line['direction']) => ({ from: [...UP.from], to: [...UP.to], direction }) as Line;
const right = [
  [0.3, 0.5],
  [0.42, 0.5],
  [0.49, 0.5],
  [0.56, 0.5],
  [0.7, 0.5],
] as const;
const left = right.toReversed();

test('left and right are those of somebody who walks along the line', () => {
  assert.deepEqual(walk(line('both'), right), ['left-to-right']);
  assert.deepEqual(walk(line('both'), left), ['right-to-left']);
  const down = { from: UP.to, to: UP.from, direction: 'both' } as unknown as Line;
  assert.deepEqual(walk(down, right), ['right-to-left']);
});

test('only the permitted direction counts', () => {
  assert.deepEqual(walk(line('left-to-right'), left), []);
  assert.deepEqual(walk(line('left-to-right'), right), ['left-to-right']);
  assert.deepEqual(walk(line('right-to-left'), right), []);
  assert.deepEqual(walk(line('right-to-left'), left), ['right-to-left']);
});

test('trembling on the line counts once', () => {
  const trembling = Array.from({ length: 40 }, (_, n) => [0.5 + (n % 2 ? 0.012 : -0.012), 0.5] as const);
  assert.deepEqual(walk(line('both'), [[0.3, 0.5], ...trembling, [0.7, 0.5]]), ['left-to-right']);
  assert.deepEqual(walk(line('both'), [[0.3, 0.5], ...trembling, [0.3, 0.5]]), []);
});

test('there and back are two crossings', () => {
  assert.deepEqual(walk(line('both'), [...right, ...left]), ['left-to-right', 'right-to-left']);
});

test('who walks round the end of the line does not cross it', () => {
  assert.deepEqual(
    walk(line('both'), [
      [0.3, 0.5],
      [0.3, 0.97],
      [0.7, 0.97],
      [0.7, 0.5],
    ]),
    [],
  );
});

test('one long step across, as from key frame to key frame, is seen', () => {
  assert.deepEqual(
    walk(line('both'), [
      [0.1, 0.6],
      [0.9, 0.4],
    ]),
    ['left-to-right'],
  );
});

test('a slanted line is crossed where it really lies', () => {
  const slanted: Pick<Line, 'from' | 'to' | 'direction'> = {
    from: [0.1, 0.9],
    to: [0.9, 0.1],
    direction: 'both',
  };
  assert.deepEqual(
    walk(slanted, [
      [0.2, 0.2],
      [0.8, 0.8],
    ]),
    ['left-to-right'],
  );
  assert.deepEqual(
    walk(slanted, [
      [0.2, 0.2],
      [0.4, 0.3],
    ]),
    [],
  );
});
