import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMotionDetector } from '../../../../agent/motion/motion.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { FPS, firstMotion, reasons, SIZE, wall, watch, withBox } from './scenes.ts';

const after = (startFrame: number, step: number) => (n: number) =>
  n < startFrame ? -50 : (n - startFrame) * step;

test('somebody who walks through the picture is motion, within a second and a half', () => {
  const decisions = watch({ at: withBox(after(30, 5)) }, 60);
  const first = firstMotion(decisions);
  assert.ok(first >= 30 && first <= 30 + 1.5 * FPS + 2, `frame ${first}`);
});

test('a region is where the thing is', () => {
  const decisions = watch({ at: withBox(after(30, 5)) }, 60);
  const decision = decisions[50];
  assert.equal(decision?.kind, 'motion');
  const [left, top, right, bottom] = decision.kind === 'motion' ? (decision.regions[0] ?? [0, 0, 0, 0]) : [];
  assert.ok(left !== undefined && right !== undefined && top !== undefined && bottom !== undefined);
  assert.ok(left * 320 <= 100 && right * 320 >= 112, `${left} ${right}`);
  assert.ok(top * 180 <= 80 && bottom * 180 >= 110, `${top} ${bottom}`);
});

test('a still scene with a noisy sensor is quiet', () => {
  for (const noise of [2, 10, 40]) {
    const decisions = watch({ at: wall, noise }, 150).slice(2 * FPS);
    assert.equal(firstMotion(decisions), -1);
    const stirred = decisions.filter(({ kind }) => kind !== 'quiet').length;
    assert.ok(stirred <= 8, `noise ${noise}: ${stirred} of 140 frames are not quiet`);
  }
});

test('low contrast is seen when the picture is quiet', () => {
  const at = withBox(after(30, 5), { level: 0 });
  const faint = (x: number, y: number, n: number) => {
    const base = wall(x, y);
    return at(x, y, n) === 0 ? base + 18 : base;
  };
  assert.notEqual(firstMotion(watch({ at: faint, noise: 3 }, 70)), -1);
});

test('the light goes on and off: the whole scene changed, not motion', () => {
  const at = (x: number, y: number, n: number) => wall(x, y) * (n >= 40 && n < 80 ? 0.4 : 1);
  const decisions = watch({ at }, 140);
  assert.equal(firstMotion(decisions), -1, reasons(decisions).join());
  const broken = (x: number, y: number, n: number) => (n < 40 ? wall(x, y) : wall(x + 150, y + 61));
  const other = watch({ at: broken }, 80);
  assert.equal(firstMotion(other), -1);
  assert.ok(reasons(other).includes('whole-scene'));
});

test('after the light was switched, motion is seen again', () => {
  const box = withBox(after(60, 5));
  const at = (x: number, y: number, n: number) => box(x, y, n) * (n >= 40 ? 0.5 : 1);
  const first = firstMotion(watch({ at }, 100));
  assert.ok(first >= 60 && first <= 70, `frame ${first}`);
});

test('dusk and an exposure that swings are no motion, and hide none', () => {
  const light = (n: number) => 1 + 0.15 * Math.sin(n / 6) - n / 1000;
  const still = watch({ at: (x, y, n) => wall(x, y) * light(n) }, 200);
  assert.equal(firstMotion(still), -1);
  const box = withBox(after(60, 5));
  const first = firstMotion(watch({ at: (x, y, n) => box(x, y, n) * light(n) }, 100));
  assert.ok(first >= 60 && first <= 72, `frame ${first}`);
});

test('a lamp on a part of the wall keeps its pattern and is told apart', () => {
  const lamp = withBox((n) => (n < 30 ? -500 : 100), { width: 90, height: 80, level: -1, y: 40 });
  const at = (x: number, y: number, n: number) => (lamp(x, y, n) === -1 ? wall(x, y) * 1.4 : wall(x, y));
  const decisions = watch({ at, noise: 2 }, 80);
  assert.equal(firstMotion(decisions), -1);
  assert.ok(reasons(decisions).includes('lighting'), reasons(decisions).join());
});

test('a thing that is too small, too short, or sways in its place is suppressed with that reason', () => {
  const tiny = watch({ at: withBox(after(30, 5), { width: 5, height: 5 }) }, 80);
  assert.deepEqual([firstMotion(tiny), reasons(tiny).includes('too-small')], [-1, true]);
  const blink = watch({ at: withBox((n) => (n === 30 || n === 31 ? 100 : -50)) }, 80);
  assert.deepEqual([firstMotion(blink), reasons(blink).includes('too-short')], [-1, true]);
  const sway = watch({ at: withBox((n) => (n < 30 ? -50 : 100 + 5 * Math.sin(n * 1.7))) }, 120);
  assert.deepEqual([firstMotion(sway), reasons(sway).includes('in-place')], [-1, true]);
});

test('the first moments only teach, and a camera that starts with motion gets going within three seconds', () => {
  const decisions = watch({ at: withBox((n) => n * 5) }, 40);
  const first = firstMotion(decisions);
  assert.equal(decisions[0]?.kind === 'suppressed' ? decisions[0].reason : undefined, 'learning');
  assert.ok(first > FPS && first <= 3 * FPS, `frame ${first}`);
});

test('what is parked stops counting, and so does the place it leaves', () => {
  const at = withBox((n) => (n < 30 ? -50 : Math.min(120, (n - 30) * 6)));
  const decisions = watch({ at }, 150);
  assert.notEqual(firstMotion(decisions), -1);
  assert.equal(firstMotion(decisions.slice(80)), -1);
  const left = watch({ at: withBox((n) => (n < 40 ? 150 : 150 + (n - 40) * 8)) }, 140);
  assert.notEqual(firstMotion(left), -1);
  assert.equal(firstMotion(left.slice(90)), -1);
});

test('more sensitivity never sees later', () => {
  const at = withBox(after(30, 4), { width: 9, height: 16, level: 170 });
  const firsts = Array.from({ length: 10 }, (_, step) => firstMotion(watch({ at }, 70, step + 1))).map(
    (frame) => (frame < 0 ? Infinity : frame),
  );
  assert.deepEqual(
    firsts,
    firsts.toSorted((a, b) => b - a),
    firsts.join(),
  );
  assert.equal(firsts[0], Infinity);
  assert.notEqual(firsts[4], Infinity);
});

test('a frame of another size is refused and changes nothing', () => {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
  assert.throws(
    () => detector.analyse(new Uint8Array(10), 0),
    (error: unknown) => error instanceof Failure && error.code === 'motion.frame-size',
  );
  assert.equal(detector.analyse(new Uint8Array(SIZE.width * SIZE.height), 0).kind, 'suppressed');
});
