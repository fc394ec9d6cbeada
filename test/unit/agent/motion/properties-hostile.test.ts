import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMotionDetector, type MotionDecision } from '../../../../agent/motion/motion.ts';
import { createNoise, firstMotion, PIXELS, reasons, SIZE, wall } from './scenes.ts';

const { width, height } = SIZE;

const grain = (seed: number, times: number) => {
  const noise = createNoise(seed);
  return Float64Array.from({ length: PIXELS }, () => times * noise());
};
const twice = (levels: Float64Array) => Float64Array.from([...levels, ...levels]);
/** Two levels of grain, the same picture twice in a row: from any place in the first there is a whole one. */
const GRAIN = twice(grain(7, 2));
const GRAVEL = grain(99, 18);
const scene = (at: (x: number, y: number, i: number) => number) =>
  Float64Array.from({ length: PIXELS }, (_, i) => at(i % width, Math.floor(i / width), i));

const WALL = scene(wall);
/** Bright sky that clips first, above paving with grain. */
const YARD = scene((x, y, i) =>
  y < 60 ? 200 + x / 40 : 60 + (GRAVEL[i] as number) + 45 * (((x >> 4) + (y >> 4)) & 1),
);
const NIGHT = scene((x, y) => 12 + 0.12 * wall(x, y));
const scenes = { wall: WALL, yard: YARD, night: NIGHT };

interface Watch {
  readonly frames: number;
  readonly draw: (frame: Uint8ClampedArray, n: number) => void;
  readonly sensitivity: number;
  readonly everyMs?: number;
}

/** Until the first motion. Levels are cut off at black and white, as a camera does. */
function watchUntilMotion({ frames, draw, sensitivity, everyMs = 200 }: Watch): MotionDecision[] {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: 1000 / everyMs, sensitivity });
  const drawn = new Uint8ClampedArray(PIXELS);
  const frame = new Uint8Array(drawn.buffer);
  const decisions: MotionDecision[] = [];
  for (let n = 0; n < frames && decisions.at(-1)?.kind !== 'motion'; n++) {
    draw(drawn, n);
    decisions.push(structuredClone(detector.analyse(frame, n * everyMs)));
  }
  return decisions;
}

/** With other grain in each picture. */
function drawWithGrain(frame: Uint8ClampedArray, base: Float64Array, n: number): void {
  const shift = (n * 7_919) % PIXELS;
  for (let i = 0; i < PIXELS; i++) frame[i] = (base[i] as number) + (GRAIN[i + shift] as number);
}

/** Steps of a level: light is computed for each step instead of each pixel. */
const STEPS = 64;
function createLitScene(base: Float64Array) {
  const stepOf = Uint16Array.from(base, (level) => Math.round(Math.max(0, level) * STEPS));
  const lit = new Float64Array(256 * STEPS);
  return (frame: Uint8ClampedArray, n: number, s: number, light: Light): void => {
    for (let step = 0; step < lit.length; step++) lit[step] = light(step / STEPS, s);
    const shift = (n * 7_919) % PIXELS;
    for (let i = 0; i < PIXELS; i++)
      frame[i] = (lit[stepOf[i] as number] as number) + (GRAIN[i + shift] as number);
  };
}

/** Light of a level at a moment in seconds; for the first four nothing happens. */
type Light = (level: number, s: number) => number;

function lights(): Map<string, Light> {
  const all = new Map<string, Light>();
  const since = (s: number) => Math.max(0, s - 4);
  for (const slope of [0.03, 0.2, 0.8, 3])
    for (const way of [1, -1]) {
      all.set(`gain ${way * slope} a second`, (v, s) => v * Math.max(0, 1 + way * slope * since(s)));
      all.set(`offset ${way * slope * 60} a second`, (v, s) => v + way * slope * 60 * since(s));
      all.set(`up and down, ${way * slope} a second`, (v, s) => {
        const saw = Math.abs(((since(s) * slope + 1) % 2) - 1);
        return v * (1 + way * 0.9 * saw);
      });
      all.set(`gamma ${way * slope} a second`, (v, s) => {
        const power = 2 ** (way * Math.min(2.5, slope * since(s)));
        return 255 * (Math.max(0, v) / 255) ** power;
      });
    }
  // Lamps on 50 and 60 Hz mains show as a slow beat with the shutter.
  for (const hertz of [0.3, 1.1, 2.4, 4.9])
    all.set(`beat of ${hertz} Hz`, (v, s) => v * (1 + 0.5 * Math.sin(2 * Math.PI * hertz * s + 0.3)));
  return all;
}

for (const [name, base] of Object.entries(scenes)) {
  test(`brightness of any slope, up or down, as gain, offset, gamma or beat, clipped and with grain, is no motion: ${name}`, () => {
    const drawLit = createLitScene(base);
    // Each light at one of two steps: neighbours in the list differ in way or kind, not in strength.
    for (const [index, [what, light]] of [...lights()].entries()) {
      const sensitivity = index % 4 < 2 ? 5 : 10;
      const decisions = watchUntilMotion({
        frames: 60,
        sensitivity,
        draw: (frame, n) => drawLit(frame, n, n / 5, light),
      });
      assert.equal(firstMotion(decisions), -1, `${what}, step ${sensitivity}: ${reasons(decisions).join()}`);
    }
  });
}

test('brightness that only rises or only falls is no motion in rare pictures either', () => {
  for (const [name, base] of Object.entries(scenes)) {
    const drawLit = createLitScene(base);
    for (const everyMs of [1_000, 2_000])
      for (const [what, light] of lights()) {
        if (/beat|up and down/.test(what)) continue;
        const decisions = watchUntilMotion({
          frames: 24,
          sensitivity: 5,
          everyMs,
          draw: (frame, n) => drawLit(frame, n, (n * everyMs) / 1000, light),
        });
        assert.equal(firstMotion(decisions), -1, `${name}, ${what}, every ${everyMs} ms`);
      }
  }
});

test('grain on black, white, dark and patterned pictures is no motion at any step, however rare the pictures', () => {
  const black = new Float64Array(PIXELS);
  const white = new Float64Array(PIXELS).fill(250);
  for (const [name, base] of Object.entries({ ...scenes, black, white }))
    for (const everyMs of [200, 2_000])
      for (const sensitivity of [1, 5, 10])
        for (const strength of [3, 12, 40]) {
          const noise = createNoise(31 + strength);
          const decisions = watchUntilMotion({
            frames: everyMs === 200 ? 50 : 25,
            sensitivity,
            everyMs,
            draw(frame) {
              for (let i = 0; i < PIXELS; i++) frame[i] = (base[i] as number) + strength * noise();
            },
          });
          const told = `${name}, ${strength} levels, step ${sensitivity}, every ${everyMs} ms`;
          assert.equal(firstMotion(decisions), -1, told);
        }
});

/** Height of the smallest object for each step, as docs/motion.md has it; half as wide as high. */
const SMALLEST = [64, 48, 36, 26, 18, 17, 15, 13, 12, 11] as const;
/** A wall of little contrast, so that the object differs by at least 40 levels from all that is behind it. */
const PLAIN = scene((x, y) => 110 + 0.25 * (wall(x, y) - 110));
const LEVELS = [110 - 50, 110 + 50] as const;
const STARTS = 15;

test('an object of the documented size and contrast is seen at every step whichever way it crosses, at the edges, too', () => {
  for (const [index, tall] of SMALLEST.entries()) {
    const wide = Math.round(tall / 2);
    const ways: Record<string, (gone: number) => readonly [x: number, y: number]> = {
      'along the upper edge': (gone) => [gone - wide, 0],
      'along the lower edge, leftwards': (gone) => [width - gone, height - tall],
      'from above': (gone) => [150, gone - tall],
      'from below': (gone) => [150, height - gone],
      'aslant, downwards': (gone) => [0.8 * gone - wide, 0.6 * gone - tall],
      'aslant, upwards': (gone) => [width - 0.8 * gone, height - 0.6 * gone],
    };
    for (const [way, placeAfter] of Object.entries(ways))
      for (const share of [0.02, 0.1, 0.4])
        for (const level of LEVELS) {
          const perFrame = (share * width) / 5;
          const decisions = watchUntilMotion({
            frames: STARTS + Math.ceil((width + tall) / perFrame),
            sensitivity: index + 1,
            draw(frame, n) {
              drawWithGrain(frame, PLAIN, n);
              if (n < STARTS) return;
              const [left, top] = placeAfter((n - STARTS) * perFrame);
              for (let y = Math.max(0, Math.ceil(top)); y < Math.min(height, top + tall); y++)
                for (let x = Math.max(0, Math.ceil(left)); x < Math.min(width, left + wide); x++)
                  frame[y * width + x] = level;
            },
          });
          const told = `step ${index + 1}, ${way}, ${share} of the width a second, level ${level}`;
          assert.ok(firstMotion(decisions) >= STARTS, `${told}: ${reasons(decisions).join()}`);
        }
  }
});
