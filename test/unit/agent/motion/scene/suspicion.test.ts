import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMotionDetector, type MotionDecision } from '../../../../../agent/motion/motion.ts';
import { createPainter, FPS, type Scene, SIZE, wall, withBox } from '../scenes.ts';

const EVERY_MS = 1000 / FPS;
/** Behind what the model learns of it. */
const LEARNT = 4 * FPS;
const KEY_EVERY = FPS;

/** A detector that knows the scene until `LEARNT`, and what it suspects of a later frame. */
function suspicionOf(scene: Scene, n: number, sensitivity = 5): boolean {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity });
  const paint = createPainter(scene);
  for (let at = 0; at < LEARNT; at++) detector.analyse(paint(at), at * EVERY_MS);
  return detector.suspects?.(paint(n)) ?? assert.fail('it cannot tell');
}

test('noise, a quiet scene and other light are no suspicion, at any sensitivity', () => {
  for (const sensitivity of [1, 5, 10]) {
    assert.equal(suspicionOf({ at: wall }, LEARNT, sensitivity), false);
    assert.equal(suspicionOf({ at: wall, noise: 30 }, LEARNT, sensitivity), false, 'grain');
    const brighter: Scene = { at: (x, y, n) => wall(x, y) * (n < LEARNT ? 1 : 1.25) };
    assert.equal(suspicionOf(brighter, LEARNT, sensitivity), false, 'exposure');
  }
});

test('something that comes into the picture is a suspicion, also of low contrast', () => {
  for (const level of [220, 150, 60]) {
    const came = withBox((n) => (n < LEARNT ? -50 : 100), { level });
    assert.equal(suspicionOf({ at: came }, LEARNT), true, `level ${level}`);
  }
});

test('a scene that is not known yet is suspicious', () => {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
  const paint = createPainter({ at: wall });
  assert.equal(detector.suspects?.(paint(0)), true, 'before the first frame');
  detector.analyse(paint(0), 0);
  assert.equal(detector.suspects?.(paint(1)), true, 'while it learns');
});

test('to be asked changes nothing of what is decided later', () => {
  const decisions = [false, true].map((asks) => {
    const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
    const paint = createPainter({ at: withBox((n) => 4 * (n - LEARNT)) });
    const later = createPainter({ at: withBox(() => 200) });
    return Array.from({ length: LEARNT + 6 * FPS }, (_, n): MotionDecision => {
      if (asks) detector.suspects?.(later(n));
      return structuredClone(detector.analyse(paint(n), n * EVERY_MS));
    });
  });
  assert.ok(decisions[0]?.some(({ kind }) => kind === 'motion'));
  assert.deepEqual(decisions[1], decisions[0]);
});

test('whatever starts a recording was suspicious no later than at its next key picture', () => {
  // Small and slow, large and fast, at the border and far away: for each, every picture that could be a key picture.
  for (const [what, box, sensitivity] of [
    ['a walker', withBox((n) => 3 * (n - LEARNT) - 12), 5],
    ['a small one', withBox((n) => 2 * (n - LEARNT) - 8, { width: 8, height: 18, level: 170 }), 5],
    ['a car', withBox((n) => 14 * (n - LEARNT) - 60, { width: 60, height: 40 }), 5],
    ['a large one, low sensitivity', withBox((n) => 6 * (n - LEARNT) - 30, { width: 30, height: 80 }), 1],
    ['a tiny one, high sensitivity', withBox((n) => 2 * (n - LEARNT) - 6, { width: 6, height: 11 }), 10],
  ] as const) {
    const full = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity });
    const paint = createPainter({ at: box });
    let n = 0;
    while (full.analyse(paint(n), n * EVERY_MS).kind !== 'motion')
      assert.ok(++n < LEARNT + 20 * FPS, `${what} is not seen at all`);
    for (let key = n; key < n + KEY_EVERY; key++)
      assert.equal(suspicionOf({ at: box }, key, sensitivity), true, `${what}, ${key - n} pictures later`);
  }
});
