import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blurred, createWatcher, even, infrared, lit, type Painting, street, yard } from './rig.ts';

/** What hides a scene, what it is called, and scenes of the day before it. */
const HIDDEN: readonly (readonly [what: string, kind: string, painting: Painting])[] = [
  ['a hand or a cloth', 'covered', even(70)],
  ['paint', 'covered', even(180)],
  ['a leaf with light behind it', 'covered', (x, y) => 120 + x / 12 + y / 15],
  ['a cap', 'dark', even(16)],
  ['a torch', 'blinded', (x, y) => 255 - Math.hypot(x - 160, y - 90) / 20],
  ['a drop on the lens', 'defocused', blurred(yard, 6)],
  ['a lens that was knocked', 'defocused', blurred(yard, 9)],
  ['a push', 'turned', street],
  ['a push to the side', 'turned', (x, y) => yard(x + 83, y + 21)],
];

for (const noise of [1, 12])
  for (const [what, kind, painting] of HIDDEN)
    test(`${what} is told as ${kind} after a minute, once, and no more when the scene is back (noise ${noise})`, () => {
      const watcher = createWatcher({ noise });
      watcher.see(yard, 100);
      assert.equal(watcher.see(painting, 50), undefined, 'not yet');
      assert.equal(watcher.see(painting, 30), kind);
      watcher.see(painting, 60);
      assert.equal(watcher.see(yard, 30), undefined);
      assert.deepEqual(watcher.told, [undefined, kind, undefined]);
    });

/** From one scene to another, in so many seconds, as sun, clouds, lamps and the camera itself do it. */
const LIGHTS: readonly (readonly [what: string, to: Painting, seconds: number])[] = [
  ['a cloud', lit(yard, 0.6), 2],
  ['sun behind a cloud', lit(yard, 1.25, 10), 1],
  ['dusk', lit(yard, 0.05, 8), 500],
  ['dusk, in a minute', lit(yard, 0.05, 8), 60],
  ['infrared', infrared(yard), 1],
  ['fog in minutes', lit(yard, 0.2, 130), 400],
  ['a lamp that goes out', lit(yard, 0.3), 1],
];

for (const [what, to, seconds] of LIGHTS)
  test(`${what} comes and goes, and nothing is told`, () => {
    const watcher = createWatcher();
    watcher.see(yard, 100);
    watcher.change(yard, to, seconds);
    watcher.see(to, 120);
    watcher.change(to, yard, seconds);
    watcher.see(yard, 120);
    assert.deepEqual(watcher.told, [undefined]);
  });

test('a whole night: dusk, infrared, a lamp before the house, dawn', () => {
  const watcher = createWatcher({ noise: 10 });
  const dim = lit(yard, 0.12, 6);
  const night = infrared(yard);
  const lamp = (x: number, y: number) => night(x, y) + Math.max(0, 120 - Math.hypot(x - 40, y - 60) * 1.5);
  watcher.see(yard, 120);
  watcher.change(yard, dim, 400);
  watcher.see(dim, 120);
  watcher.see(night, 200);
  watcher.see(lamp, 120);
  watcher.see(night, 200);
  watcher.see(dim, 60);
  watcher.change(dim, yard, 400);
  watcher.see(yard, 120);
  assert.deepEqual(watcher.told, [undefined]);
});

test('a black night, and a lamp that goes out in it, are no cap', () => {
  const watcher = createWatcher();
  watcher.see(lit(yard, 0.35), 300);
  watcher.see(even(16), 300);
  watcher.see(lit(yard, 0.35), 300);
  assert.deepEqual(watcher.told, [undefined]);
});

test('infrared that goes out at dawn leaves little, and is no cover', () => {
  const watcher = createWatcher({ noise: 8 });
  const night = lit(infrared(yard), 1.7);
  for (const dawn of [lit(yard, 0.06, 25), lit(yard, 0.06, 45)]) {
    watcher.see(night, 150);
    watcher.see(dawn, 150);
    watcher.change(dawn, yard, 200);
    watcher.see(yard, 60);
    watcher.change(yard, dawn, 200);
  }
  assert.deepEqual(watcher.told, [undefined]);
});

test('somebody close before the lens for half a minute is a visitor', () => {
  const watcher = createWatcher();
  watcher.see(yard, 100);
  watcher.see(even(60), 30);
  watcher.see(yard, 60);
  assert.deepEqual(watcher.told, [undefined]);
});

test('half a picture behind a lorry is no cover', () => {
  const watcher = createWatcher();
  watcher.see(yard, 100);
  watcher.see((x, y) => (x < 160 ? 140 : yard(x, y)), 600);
  assert.deepEqual(watcher.told, [undefined]);
});

test('a camera that was turned to stay has another scene after a quarter of an hour', () => {
  const watcher = createWatcher();
  watcher.see(yard, 100);
  watcher.see(street, 1200);
  assert.deepEqual(watcher.told, [undefined, 'turned', undefined]);
  watcher.see(even(100), 90);
  assert.equal(watcher.told.at(-1), 'covered');
});

test('a lens that was covered before the first picture is told too', () => {
  const watcher = createWatcher();
  assert.equal(watcher.see(even(90), 180), 'covered');
  watcher.see(yard, 100);
  assert.deepEqual(watcher.told, [undefined, 'covered', undefined]);
});

test('the time and the name that a camera writes into its picture are no scene', () => {
  const written =
    (painting: Painting): Painting =>
    (x, y) =>
      (y < 14 && x < 150) || (y > 166 && x > 250)
        ? ((x >> 1) + (y >> 2)) % 3 === 0
          ? 235
          : 20
        : painting(x, y);
  const watcher = createWatcher();
  watcher.see(written(yard), 200);
  assert.equal(watcher.see(written(even(60)), 90), 'covered');
  watcher.see(written(yard), 60);
  assert.equal(watcher.see(written(even(16)), 90), 'dark');
});

test('a cover that is still there after a break of the stream is still told', () => {
  const watcher = createWatcher();
  watcher.see(yard, 100);
  watcher.see(even(60), 90);
  watcher.pause(600);
  assert.equal(watcher.see(even(60), 5), 'covered');
});
