import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMotionDetector, type MotionDecision } from '../../../../agent/motion/motion.ts';
import { thresholdsOf } from '../../../../agent/motion/sensitivity.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createNoise, FPS, firstMotion, PIXELS, reasons, SIZE, wall, watch, withBox } from './scenes.ts';

const STILL = Uint8Array.from({ length: PIXELS }, (_, i) =>
  Math.round(wall(i % SIZE.width, Math.floor(i / SIZE.width))),
);

function run(
  draw: (frame: Uint8Array, n: number) => void,
  frames: number,
  { everyMs = 1000 / FPS, sensitivity = 5 } = {},
): MotionDecision[] {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: 1000 / everyMs, sensitivity });
  const frame = new Uint8Array(PIXELS);
  return Array.from({ length: frames }, (_, n) => {
    draw(frame, n);
    return structuredClone(detector.analyse(frame, n * everyMs));
  });
}

const noisy =
  (base: Uint8Array, strength: number, seed: number) =>
  (frame: Uint8Array): void => {
    const noise = createNoise(seed);
    for (let i = 0; i < PIXELS; i++)
      frame[i] = Math.max(0, Math.min(255, (base[i] as number) + strength * noise()));
  };

test('pure noise of any strength is no motion, at five frames a second and at one in two seconds', () => {
  for (const everyMs of [200, 2_000])
    for (const strength of [3, 12, 40, 127]) {
      const grey = new Uint8Array(PIXELS).fill(128);
      const decisions = run((frame, n) => noisy(grey, strength, 1 + n * 7919)(frame), 60, { everyMs });
      assert.equal(firstMotion(decisions), -1, `strength ${strength}, every ${everyMs} ms`);
    }
});

test('a brightness that rises, falls, swings or flickers for the whole picture is no motion', () => {
  const lights: Record<string, (n: number) => number> = {
    dusk: (n) => 1 - n / 200,
    dawn: (n) => 0.3 + n / 60,
    'exposure to white and back': (n) => 1 + 1.2 * Math.abs(Math.sin(n / 9)),
    'lamp that flickers': (n) => (n % 3 === 0 ? 0.8 : 1.1),
    'beat of mains and shutter': (n) => 1 + 0.25 * Math.sin(n * 1.9),
    'steps up and down': (n) => (Math.floor(n / 17) % 2 === 0 ? 0.5 : 1.4),
  };
  for (const [name, light] of Object.entries(lights)) {
    const noise = createNoise(77);
    const decisions = run((frame, n) => {
      for (let i = 0; i < PIXELS; i++)
        frame[i] = Math.max(0, Math.min(255, (STILL[i] as number) * light(n) + 2 * noise()));
    }, 120);
    assert.equal(firstMotion(decisions), -1, `${name}: ${reasons(decisions).join()}`);
  }
});

test('a still scene stays quiet for ten minutes, and nothing grows', () => {
  const frames = [1, 2, 3, 4, 5, 6, 7].map((seed) => {
    const frame = new Uint8Array(PIXELS);
    noisy(STILL, 3, seed * 104_729)(frame);
    return frame;
  });
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
  let disturbed = 0;
  let heapBefore = 0;
  for (let n = 0; n < 3_000; n++) {
    if (n === 500) heapBefore = process.memoryUsage().heapUsed;
    const { kind } = detector.analyse(frames[(n * 5 + (n % 3)) % frames.length] as Uint8Array, n * 200);
    assert.notEqual(kind, 'motion', `frame ${n}`);
    if (n > 25 && kind !== 'quiet') disturbed++;
  }
  assert.ok(disturbed <= 3, `${disturbed} frames`);
  const grownBytes = process.memoryUsage().heapUsed - heapBefore;
  // Less than two small objects a frame; one picture would be 57,600 bytes.
  assert.ok(grownBytes < 2_500 * 400, `${grownBytes} bytes`);
});

/** Height of the smallest object for each step, as docs/motion.md has it; half as wide as high. */
const SMALLEST = [64, 48, 36, 26, 18, 17, 15, 13, 12, 11] as const;

test('a solid object of the documented size that crosses is seen, dark or bright, slow or fast', () => {
  for (const [index, height] of SMALLEST.entries())
    for (const contrast of [-40, 40, 90])
      for (const share of [0.05, 0.2, 0.4]) {
        const step = index + 1;
        const perFrame = (share * SIZE.width) / FPS;
        const width = Math.round(height / 2);
        const frames = 15 + Math.ceil((SIZE.width + width) / perFrame);
        const noise = createNoise(5);
        const top = 70;
        const decisions = run(
          (frame, n) => {
            const left = (n - 15) * perFrame - width;
            for (let i = 0; i < PIXELS; i++)
              frame[i] = Math.max(0, Math.min(255, (STILL[i] as number) + 2 * noise()));
            if (n < 15) return;
            for (let y = top; y < top + height; y++)
              for (let x = Math.max(0, Math.ceil(left)); x < Math.min(SIZE.width, left + width); x++)
                frame[y * SIZE.width + x] = Math.max(0, Math.min(255, 110 + contrast));
          },
          frames,
          { sensitivity: step },
        );
        const name = `step ${step}, ${height} pixels, contrast ${contrast}, ${share} of the width a second`;
        assert.ok(firstMotion(decisions) >= 15, `${name}: ${reasons(decisions).join()}`);
      }
});

test('with one key frame every two seconds somebody who walks through is seen by the second that shows him', () => {
  for (const offset of [0, 7, 13]) {
    const at = withBox((n) => (n < 6 ? -100 : offset + (n - 6) * 40), { width: 18, height: 44 });
    const decisions = run(
      (frame, n) => {
        for (let i = 0; i < PIXELS; i++) frame[i] = at(i % SIZE.width, Math.floor(i / SIZE.width), n);
      },
      14,
      { everyMs: 2_000 },
    );
    const first = firstMotion(decisions);
    assert.ok(first >= 6 && first <= 7, `frame ${first}: ${reasons(decisions).join()}`);
  }
});

test('rain and insects are no motion', () => {
  const noise = createNoise(4242);
  const rain = run((frame) => {
    frame.set(STILL);
    for (let drop = 0; drop < 60; drop++) {
      const x = Math.floor((noise() + 1) * 159);
      const y = Math.floor((noise() + 1) * 70);
      for (let k = 0; k < 30; k++) frame[(y + k) * SIZE.width + x] = 200;
    }
  }, 150);
  assert.equal(firstMotion(rain), -1, reasons(rain).join());
  let x = 100;
  let y = 60;
  const insect = run((frame) => {
    frame.set(STILL);
    x = Math.max(4, Math.min(310, x + noise() * 60));
    y = Math.max(4, Math.min(170, y + noise() * 60));
    for (let dy = 0; dy < 4; dy++)
      for (let dx = 0; dx < 5; dx++) frame[Math.floor(y + dy) * SIZE.width + Math.floor(x + dx)] = 240;
  }, 150);
  assert.equal(firstMotion(insect), -1, reasons(insect).join());
});

test('a clock in the picture is learnt, and hides nobody', () => {
  const noise = createNoise(9);
  const draw = (frame: Uint8Array, n: number) => {
    frame.set(STILL);
    if (n % 5 === 0) for (let k = 0; k < digits.length; k++) digits[k] = noise() > 0 ? 255 : 0;
    for (let k = 0; k < digits.length; k++)
      frame[(6 + Math.floor(k / 16)) * SIZE.width + 8 + (k % 16)] = digits[k] as number;
    const left = (n - 300) * 6;
    if (n < 300) return;
    for (let y = 90; y < 130; y++)
      for (let x = Math.max(0, left); x < Math.min(SIZE.width, left + 16); x++)
        frame[y * SIZE.width + x] = 20;
  };
  const digits = new Uint8Array(16 * 10);
  const decisions = run(draw, 340);
  const first = firstMotion(decisions);
  assert.ok(first >= 300 && first <= 306, `frame ${first}`);
});

test('a shadow and a patch of sun that come and go are light, not motion', () => {
  for (const factor of [0.6, 1.35]) {
    const soft = (x: number, y: number, n: number) => {
      const inside = Math.min(1, Math.max(0, Math.min(x - 60, 200 - x, y - 30, 130 - y) / 12));
      const strength = Math.max(0, Math.sin((n - 20) / 12));
      return wall(x, y) * (1 + (n < 20 ? 0 : (factor - 1) * strength * inside));
    };
    const decisions = watch({ at: soft, noise: 2 }, 100);
    assert.equal(firstMotion(decisions), -1, `${factor}: ${reasons(decisions).join()}`);
    assert.ok(reasons(decisions).includes('lighting'), reasons(decisions).join());
  }
});

test('a shaking pole is no motion', () => {
  const shake = (x: number, y: number, n: number) =>
    wall(x + 8 + Math.round(3 * Math.sin(n * 2.3)), y + 8 + Math.round(2 * Math.sin(n * 1.7)));
  const decisions = watch({ at: shake, noise: 3 }, 150);
  assert.equal(firstMotion(decisions), -1, reasons(decisions).join());
});

test('who comes and then only shifts on his feet keeps the event', () => {
  const at = withBox((n) => (n < 20 ? -60 : n < 45 ? (n - 20) * 6 : 150 + 2 * Math.sin(n / 2)), {
    width: 16,
    height: 44,
  });
  const decisions = watch({ at, noise: 3 }, 110);
  const first = firstMotion(decisions);
  const standing = decisions.slice(50, 100).filter(({ kind }) => kind === 'motion').length;
  assert.ok(first > 20 && first < 30 && standing > 45, `from ${first}, ${standing} of 50 frames`);
  assert.ok(decisions.slice(50, 100).some((one) => one.kind === 'motion' && one.presence));
});

test('garbage frames are refused and leave the model as it was', () => {
  const clean = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
  const fed = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
  const box = withBox((n) => (n < 20 ? -60 : (n - 20) * 5));
  const frame = new Uint8Array(PIXELS);
  for (let n = 0; n < 60; n++) {
    for (let i = 0; i < PIXELS; i++) frame[i] = box(i % SIZE.width, Math.floor(i / SIZE.width), n);
    for (const length of [0, 1, PIXELS - 1, PIXELS + 1, PIXELS * 3])
      assert.throws(
        () => fed.analyse(new Uint8Array(length), n * 200 + 100_000),
        (error: unknown) =>
          error instanceof Failure && error.kind === 'rejected' && error.code === 'motion.frame-size',
      );
    assert.deepEqual(fed.analyse(frame, n * 200), clean.analyse(frame, n * 200));
  }
});

test('a time that stands still or runs back breaks nothing', () => {
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 5 });
  for (const atMs of [0, 200, 200, 100, 1_800, 2_000, 0, -500, 1e9, 1e9 + 200])
    assert.notEqual(detector.analyse(STILL, atMs).kind, 'motion');
});

test('what is masked is never seen', () => {
  const mask = new Uint8Array(PIXELS).fill(1);
  for (let y = 60; y < 180; y++) mask.fill(0, y * SIZE.width, (y + 1) * SIZE.width);
  const detector = createMotionDetector({ size: SIZE, framesPerSecond: FPS, sensitivity: 8, mask });
  const box = withBox((n) => (n - 10) * 5);
  const frame = new Uint8Array(PIXELS);
  for (let n = 0; n < 60; n++) {
    const light = 1 + 0.3 * Math.sin(n / 5);
    for (let i = 0; i < PIXELS; i++)
      frame[i] = Math.min(255, light * box(i % SIZE.width, Math.floor(i / SIZE.width), n));
    const decision = detector.analyse(frame, n * 200);
    if (decision.kind === 'quiet') continue;
    assert.notEqual(decision.kind, 'motion');
    for (const [, top] of decision.regions) assert.ok(top * SIZE.height < 64);
  }
});

test('each step of sensitivity asks for less than the one before', () => {
  for (let step = 1; step < 10; step++) {
    const less = thresholdsOf(step);
    const more = thresholdsOf(step + 1);
    for (const key of ['minContrast', 'minPixels', 'bigPixels', 'minAgeMs', 'minTravel'] as const)
      assert.ok(more[key] <= less[key], `${key}, step ${step}`);
  }
});
