/** How much the way from a picture to a decision allocates for each picture, once it is compiled: prints bytes for
 *  each scene. In a process of its own, whose collector and compiler wait until they are asked. */
import { createMotionStage, type MotionStageDeps } from '../../../../agent/capture/child/motion-stage.ts';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import type { MotionDecision } from '../../../../agent/motion/motion.ts';
import { SIZE, wall } from './scenes.ts';

const WARM_FRAMES = 2_000;
const CHUNKS = 15;
const CHUNK_FRAMES = 40;
const PIXELS = SIZE.width * SIZE.height;

type Camera = MotionStageDeps['camera'];
interface Scene {
  readonly camera?: Partial<Camera>;
  /** In place of the model. */
  readonly model?: () => MotionDecision;
  readonly draw?: (frame: Uint8Array, n: number) => void;
}

const half = (left: number): [number, number][] => [
  [left, 0.2],
  [left + 0.5, 0.2],
  [left + 0.5, 1],
  [left, 1],
];
const ZONES: Partial<Camera> = {
  zones: [
    { id: 'left', polygon: half(0), dwellMs: 1_500 },
    { id: 'right', polygon: half(0.5), minSize: 0.004 },
  ],
  masks: [{ id: 'street', polygon: half(0.1) }],
  lines: [{ id: 'fence', from: [0.4, 0.1], to: [0.45, 0.95], direction: 'both' }],
};

/** Eight boxes that go to and fro, told as the model tells them: always with the same objects. */
function moving(kind: 'motion' | 'suppressed'): () => MotionDecision {
  const regions = Array.from({ length: 8 }, (_, k): [number, number, number, number] => [
    0,
    k / 9,
    0,
    k / 9 + 0.08,
  ]);
  const decision: MotionDecision =
    kind === 'motion'
      ? { kind, regions, tracks: regions.map((_, k) => k), presence: false }
      : { kind, reason: 'in-place', regions };
  let n = 0;
  return () => {
    n++;
    for (let k = 0; k < regions.length; k++) {
      const region = regions[k] as (typeof regions)[number];
      region[0] = 0.4 + 0.4 * Math.sin(n / (17 + k));
      region[2] = region[0] + 0.05;
    }
    return decision;
  };
}

function box(frame: Uint8Array, left: number, top: number, height: number): void {
  for (let y = top; y < top + height; y++) frame.fill(220, y * SIZE.width + left, y * SIZE.width + left + 18);
}

const SCENES: Readonly<Record<string, Scene>> = {
  quiet: {},
  'quiet, masks and zones': { camera: ZONES },
  'eight things count': { model: moving('motion') },
  'eight things count in zones': { camera: ZONES, model: moving('motion') },
  'eight things in zones do not count': { camera: ZONES, model: moving('suppressed') },
  'somebody walks': { draw: (frame, n) => box(frame, Math.abs(((n * 4) % 560) - 280), 80, 40) },
  'five walk in the rain': {
    draw: (frame, n) => {
      for (let k = 0; k < 5; k++) box(frame, Math.abs(((n * (3 + k) + 67 * k) % 560) - 280), 5 + 34 * k, 24);
      for (let drop = 0; drop < 50; drop++) {
        const x = (n * 97 + drop * 61) % SIZE.width;
        const y = (n * 53 + drop * 37) % 150;
        for (let k = 0; k < 26; k++) frame[(y + k) * SIZE.width + x] = 200;
      }
    },
  },
};

const STILL = Float32Array.from({ length: PIXELS }, (_, i) =>
  wall(i % SIZE.width, Math.floor(i / SIZE.width)),
);
const GRAINY = Array.from({ length: 7 }, (_, k) =>
  Uint8Array.from(STILL, (level, i) => level + 3 * Math.sin(i * (k + 1.37))),
);

function bytesOf({ camera, model, draw }: Scene): number {
  const motionStage = createMotionStage({
    camera: { id: 'porch', main: 'rtsp://porch/main', sub: 'rtsp://porch/sub', sensitivity: 5, ...camera },
    clock: systemClock,
    ...(model && { createDetector: () => ({ analyse: model }) }),
    motion: () => undefined,
    // Why nothing was recorded is written down then and there: that is no work of every picture.
    recording: () => true,
    suppressed: () => undefined,
  });
  const frame = Buffer.alloc(PIXELS);
  let n = 0;
  const run = (frames: number) => {
    for (const end = n + frames; n < end; n++) {
      frame.set(GRAINY[(n * 5 + (n % 3)) % GRAINY.length] as Uint8Array);
      draw?.(frame, n);
      motionStage.frame(frame, n * 200);
    }
  };
  run(WARM_FRAMES);
  globalThis.gc?.();
  const grown = Array.from({ length: CHUNKS }, () => {
    const before = process.memoryUsage().heapUsed;
    run(CHUNK_FRAMES);
    return process.memoryUsage().heapUsed - before;
  });
  // The middle one: what the compiler or the collector did meanwhile is in few of them.
  return (grown.toSorted((a, b) => a - b)[CHUNKS >> 1] as number) / CHUNK_FRAMES;
}

for (const [name, scene] of Object.entries(SCENES))
  process.stdout.write(`${Math.round(bytesOf(scene))} ${name}\n`);
