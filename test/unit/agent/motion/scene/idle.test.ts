import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdlePlaces } from '../../../../../agent/motion/scene/idle.ts';
import { createMotionDetector } from '../../../../../agent/motion/motion.ts';
import { drawActor, walk } from '../../../../../scripts/lib/bench/motion/made/actors.ts';
import { createBackdrop } from '../../../../../scripts/lib/bench/motion/made/backdrops.ts';
import {
  createGrain,
  createRandom,
  HEIGHT,
  PIXELS,
  WIDTH,
} from '../../../../../scripts/lib/bench/motion/made/canvas.ts';
import { foliage } from '../../../../../scripts/lib/bench/motion/made/weather.ts';

const COLUMNS = 40;
const ROWS = 23;
const HERE = 5 * COLUMNS + 5;

/** One episode in which something of 100 pixels came to nothing here. */
function episode(places: ReturnType<typeof createIdlePlaces>, visit = false): void {
  places.nothing(40, 40, 56, 56, 100);
  if (visit) places.visited();
  for (let n = 0; n < 20; n++) places.pass(200, false);
}

test('where things come to nothing again and again it becomes idle, by their size; once is chance', () => {
  const places = createIdlePlaces(COLUMNS, ROWS);
  episode(places);
  assert.equal(places.idle[HERE], 0);
  for (let n = 0; n < 5; n++) episode(places);
  assert.equal(places.idle[HERE], 1);
  assert.equal(places.idlePixels[HERE], 100);
  assert.equal(places.idle[HERE + 10], 0);
});

test('what comes to nothing while somebody visits teaches nothing', () => {
  const places = createIdlePlaces(COLUMNS, ROWS);
  for (let n = 0; n < 10; n++) episode(places, true);
  assert.equal(places.idle[HERE], 0);
});

test('what comes to nothing everywhere, as rain does, makes no place idle', () => {
  const places = createIdlePlaces(COLUMNS, ROWS);
  for (let n = 0; n < 10; n++) {
    for (let y = 0; y < ROWS * 8; y += 60)
      for (let x = 0; x < COLUMNS * 8; x += 64) places.nothing(x, y, x + 64, y + 60, 50);
    for (let k = 0; k < 20; k++) places.pass(200, false);
  }
  assert.equal(Math.max(...places.idle), 0);
});

test('an idle place is forgotten within hours', () => {
  const places = createIdlePlaces(COLUMNS, ROWS);
  for (let n = 0; n < 6; n++) episode(places);
  for (let minute = 0; minute < 300; minute++) places.pass(60_000, false);
  assert.equal(places.idle[HERE], 0);
});

test('what is learnt after a calm day counts as much as what is learnt at once', () => {
  const atOnce = createIdlePlaces(COLUMNS, ROWS);
  const afterADay = createIdlePlaces(COLUMNS, ROWS);
  for (let minute = 0; minute < 24 * 60; minute++) afterADay.pass(60_000, false);
  for (const places of [atOnce, afterADay]) for (let n = 0; n < 3; n++) episode(places);
  assert.ok((atOnce.idle[HERE] as number) > 0.5);
  assert.equal(afterADay.idle[HERE], atOnce.idle[HERE]);
});

test('a long episode with more things than are remembered loses some of them and nothing else', () => {
  const places = createIdlePlaces(COLUMNS, ROWS);
  for (let n = 0; n < 1_000; n++) places.nothing(40, 40, 56, 56, 100);
  for (let n = 0; n < 200; n++) places.pass(200, true);
  assert.equal(places.idle[HERE], 1, 'it is judged although something is followed all the time');
});

const EVERY_MS = 200;
const GUST_S = 9;
const LULL_S = 150;

/** A tree that is still between gusts, before a detector at five pictures a second. */
function gustyYard(seed: number) {
  const random = createRandom(seed);
  const grain = createGrain(random);
  const backdrop = createBackdrop('yard', seed);
  const course = (t: number) => (t <= 0 || t >= GUST_S ? 0 : Math.sqrt(Math.sin((Math.PI * t) / GUST_S)));
  const leaves = foliage(backdrop, seed, 7, course);
  const detector = createMotionDetector({
    size: { width: WIDTH / 2, height: HEIGHT / 2 },
    framesPerSecond: 1000 / EVERY_MS,
    sensitivity: 5,
  });
  const canvas = new Float32Array(PIXELS);
  let nowMs = 0;

  function look(draw: () => void): boolean {
    canvas.set(backdrop.picture);
    draw();
    const frame = new Uint8Array(PIXELS / 4);
    for (let y = 0, i = 0; y < HEIGHT; y += 2) {
      const from = Math.floor(random() * (grain.length - WIDTH));
      for (let x = 0; x < WIDTH; x += 2, i++)
        frame[i] = Math.max(
          0,
          Math.min(255, (canvas[y * WIDTH + x] as number) + 2 * (grain[from + x] as number)),
        );
    }
    nowMs += EVERY_MS;
    return detector.analyse(frame, nowMs).kind === 'motion';
  }

  /** @returns for how many pictures there was motion */
  function during(seconds: number, draw: (t: number) => void): number {
    let moving = 0;
    for (let t = 0; t < seconds; t += EVERY_MS / 1000) if (look(() => draw(t))) moving++;
    return moving;
  }

  return {
    lull: () => during(LULL_S, () => undefined),
    gust: () => during(GUST_S, (t) => leaves.draw(canvas, t)),
    walker: () => {
      const height = 0.13 * HEIGHT;
      const y = backdrop.horizon + 50;
      const at = walk([-height, y], [WIDTH + height, y], 0, height);
      const levels = [45, 60, 35] as const;
      return during(WIDTH / height, (t) =>
        drawActor(canvas, { kind: 'person', height, levels, seed, at }, t),
      );
    },
  };
}

test('whoever comes again and again by the same way is seen each time as well as the first', () => {
  const yard = gustyYard(5462);
  yard.lull();
  const first = yard.walker();
  assert.ok(first > 30);
  for (let n = 0; n < 6; n++) {
    yard.lull();
    const again = yard.walker();
    assert.ok(again > 0.9 * first, `visit ${n + 2}: ${again} pictures with motion, ${first} at the first`);
  }
});

test('a tree that moves only in gusts counts in the first ones at most, however long the lulls; who walks there counts', (t) => {
  let first = 0;
  let later = 0;
  for (const seed of [5231, 5462, 5616]) {
    const yard = gustyYard(seed);
    yard.lull();
    for (let n = 0; n < 7; n++) {
      const moving = yard.gust();
      if (n < 2) first += moving;
      if (n > 3) later += moving;
      yard.lull();
    }
    assert.ok(yard.walker() > 10, `the walker of yard ${seed}`);
  }
  t.diagnostic(`pictures with motion: ${first} in the first two gusts, ${later} in the last three`);
  assert.ok(first > 0, 'these gusts are none that nobody would take for anything');
  assert.ok(
    later <= first / 4,
    `${later} pictures with motion in the last three gusts, ${first} in the first two`,
  );
});
