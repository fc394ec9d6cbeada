import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstMotion, reasons, type Scene, wall, watch } from '../scenes.ts';

/** A cone that is bright in its middle and fades out: it sweeps over a wall too smooth to know it by. */
const cone: Scene['at'] = (x, y, n) => {
  const away = Math.hypot((x - (n - 20) * 9) / 70, (y - 90) / 45);
  return 60 + (n < 20 || away > 1 ? 0 : 60 * (1 - away * away) ** 1.5);
};

test('headlights that sweep over a plain wall are light: they have no outline', () => {
  const decisions = watch({ at: cone, noise: 4 }, 70);
  assert.equal(firstMotion(decisions), -1, reasons(decisions).join());
  assert.ok(reasons(decisions).includes('lighting'), reasons(decisions).join());
});

test('a body of the same size, way and brightness has one', () => {
  const body: Scene['at'] = (x, y, n) => {
    const away = Math.hypot((x - (n - 20) * 9) / 70, (y - 90) / 45);
    return 60 + (n < 20 || away > 0.5 ? 0 : 45);
  };
  const first = firstMotion(watch({ at: body, noise: 4 }, 70));
  assert.ok(first >= 20 && first < 30, `frame ${first}`);
});

test('a spider on its thread is dropped when it has turned three times, and somebody beside it still counts', () => {
  const at: Scene['at'] = (x, y, n) => {
    const thread = 150 + 26 * Math.sin(n * 0.36);
    if (n >= 15 && Math.abs(x - thread) < 7 && y > 60 && y < 80) return 230;
    const walker = (n - 130) * 5;
    return n > 130 && x >= walker && x < walker + 14 && y > 110 && y < 150 ? 20 : wall(x, y);
  };
  const decisions = watch({ at, noise: 3 }, 190);
  const during = decisions.slice(45, 130).filter(({ kind }) => kind === 'motion').length;
  assert.ok(during < 30, `${during} of 85 frames`);
  const seen = decisions
    .slice(135, 150)
    .some((one) => one.kind === 'motion' && one.regions.some(([, top]) => top > 0.5));
  assert.ok(seen, 'the walker');
});
