import type { Backdrop } from './backdrops.ts';
import {
  between,
  type Canvas,
  createField,
  createRandom,
  createSlide,
  eachPixel,
  HEIGHT,
  PIXELS,
  WIDTH,
} from './canvas.ts';

/** What happens to a picture although nobody comes. `scene` acts before visitors are drawn, `light` on them too,
 *  `near` is between them and the lens, `lens` acts on everything. */
export interface Effect {
  readonly stage: 'scene' | 'light' | 'near' | 'lens';
  readonly draw: (canvas: Canvas, t: number) => void;
}

/** How strong something is at a moment, 0 to 1. */
export type Course = (t: number) => number;

export const always: Course = () => 1;
/** Calm until `beginS`, then gusts that come and go. */
export const gusts =
  (beginS: number, everyS: number): Course =>
  (t) =>
    t < beginS ? 0 : Math.max(0, Math.min(1, 1.6 * Math.sin((2 * Math.PI * (t - beginS)) / everyS) + 0.35));

/** Leaves and twigs sway: neighbours together, trees apart. @param reach pixels */
export function foliage({ picture, leaves }: Backdrop, seed: number, reach: number, course: Course): Effect {
  const random = createRandom(seed);
  const phase = createField(random, 70);
  const twigs = createField(random, 16);
  const moving: number[] = [];
  for (let i = 0; i < PIXELS; i++) if ((leaves[i] as number) > 0) moving.push(i);
  const phases = moving.map((i) => 2.5 * phase.at(i % WIDTH, Math.floor(i / WIDTH)));
  const small = moving.map((i) => 4 * twigs.at(i % WIDTH, Math.floor(i / WIDTH)));
  return {
    stage: 'scene',
    draw(canvas, t) {
      const now = reach * course(t);
      if (now < 0.05) return;
      moving.forEach((i, index) => {
        const p = phases[index] as number;
        const s = small[index] as number;
        const by =
          now *
          (leaves[i] as number) *
          (0.7 * Math.sin(2.6 * t + p) + 0.45 * Math.sin(6.1 * t + s) + 0.5 * Math.sin(0.9 * t));
        const down = 0.4 * now * (leaves[i] as number) * Math.sin(4.3 * t + s);
        const from = i + Math.round(by) + WIDTH * Math.round(down);
        canvas[i] = picture[Math.max(0, Math.min(PIXELS - 1, from))] as number;
      });
    },
  };
}

/** A cloth or a water surface in a rectangle: it never stands still. */
export function ripple(
  { picture }: Backdrop,
  box: readonly [number, number, number, number],
  reach: number,
  length: number,
): Effect {
  return {
    stage: 'scene',
    draw(canvas, t) {
      eachPixel(box, (x, y, i) => {
        const wave =
          Math.sin((x + 0.4 * y) / length - 5.2 * t) +
          0.6 * Math.sin((x - 0.7 * y) / (0.6 * length) - 7.9 * t);
        const from = Math.max(0, Math.min(HEIGHT - 1, Math.round(y + reach * wave))) * WIDTH + x;
        canvas[i] = (picture[from] as number) + 9 * wave;
      });
    },
  };
}

/** Light that is stronger in some places than in others, and wanders: clouds, shadows of trees.
 *  @param depth share of the light that it takes */
export function shade(
  seed: number,
  size: number,
  depth: number,
  way: (t: number) => readonly [number, number],
  course: Course,
): Effect {
  const [w, h] = [256, 128];
  const slide = createSlide(createField(createRandom(seed), size), w, h);
  return {
    stage: 'light',
    draw(canvas, t) {
      const [dx, dy] = way(t);
      const now = depth * course(t);
      if (now < 0.005) return;
      eachPixel([0, 0, WIDTH, HEIGHT], (x, y, i) => {
        const sx = (((((x + dx) / 4) | 0) % w) + w) % w;
        const sy = (((((y + dy) / 4) | 0) % h) + h) % h;
        const level = Math.max(0, Math.min(1, 0.5 + 1.2 * (slide[sy * w + sx] as number)));
        canvas[i] = (canvas[i] as number) * (1 - now * level);
      });
    },
  };
}

/** A soft cone of light that sweeps over everything, as headlights on a wall do. */
export function headlights(
  passes: readonly {
    readonly fromS: number;
    readonly toS: number;
    readonly y: number;
    readonly leftwards: boolean;
  }[],
  strength: number,
): Effect {
  return {
    stage: 'light',
    draw(canvas, t) {
      for (const { fromS, toS, y: cy, leftwards } of passes) {
        if (t < fromS || t > toS) continue;
        const share = (t - fromS) / (toS - fromS);
        const cx = -120 + (WIDTH + 240) * (leftwards ? 1 - share : share);
        eachPixel([cx - 160, cy - 90, cx + 160, cy + 90], (x, y, i) => {
          const away = ((x - cx) / 150) ** 2 + ((y - cy) / 80) ** 2;
          if (away < 1)
            canvas[i] = (canvas[i] as number) * (1 + strength * (1 - away) ** 1.5) + 12 * (1 - away);
        });
      }
    },
  };
}

export function rain(seed: number, drops: number): Effect {
  const random = createRandom(seed);
  return {
    stage: 'near',
    draw(canvas) {
      for (let drop = 0; drop < drops; drop++) {
        const length = between(random, 8, 45);
        const x = random() * (WIDTH + 40) - 20;
        const y = random() * HEIGHT - length / 2;
        const bright = between(random, 12, 55);
        for (let k = 0; k < length; k++)
          eachPixel([x + 0.12 * k, y + k, x + 0.12 * k + (length > 30 ? 2 : 1), y + k + 1], (_x, _y, i) => {
            canvas[i] = (canvas[i] as number) + bright;
          });
      }
    },
  };
}

export function snow(seed: number, flakes: number): Effect {
  const random = createRandom(seed);
  const each = Array.from({ length: flakes }, () => ({
    x: random() * WIDTH,
    y: random() * HEIGHT,
    size: 1 + 5 * random() ** 4,
    turn: 6 * random(),
  }));
  return {
    stage: 'near',
    draw(canvas, t) {
      for (const { x, y, size, turn } of each) {
        const cy = (y + t * (60 + 60 * size)) % (HEIGHT + 20);
        const cx = (x + t * 25 * size + 9 * size * Math.sin(t * 2 + turn)) % (WIDTH + 20);
        blob(canvas, cx - 10, cy - 10, size, 120 / Math.sqrt(size));
      }
    },
  };
}

function blob(canvas: Canvas, cx: number, cy: number, radius: number, bright: number): void {
  eachPixel([cx - radius, cy - radius, cx + radius + 1, cy + radius + 1], (x, y, i) => {
    const away = Math.hypot(x - cx, y - cy) / radius;
    if (away < 1) canvas[i] = (canvas[i] as number) + bright * (1 - away * away);
  });
}

/** Flies and moths near the lamp of the camera: bright, out of focus, here and there, gone and back. */
export function insects(seed: number, count: number): Effect {
  const random = createRandom(seed);
  const each = Array.from({ length: count }, () => ({
    x: random() * WIDTH,
    y: random() * HEIGHT,
    vx: 0,
    vy: 0,
    radius: between(random, 3, 14),
    away: 3 * random(),
  }));
  let before = 0;
  return {
    stage: 'near',
    draw(canvas, t) {
      const step = Math.min(0.2, t - before);
      before = t;
      for (const fly of each) {
        if ((fly.away -= step) > 0) continue;
        fly.vx += between(random, -1, 1) * 260 - 0.2 * fly.vx;
        fly.vy += between(random, -1, 1) * 260 - 0.2 * fly.vy;
        fly.x += fly.vx * step;
        fly.y += fly.vy * step;
        const gone = fly.x < -20 || fly.x > WIDTH + 20 || fly.y < -20 || fly.y > HEIGHT + 20;
        if (gone) {
          fly.away = 4 * random();
          fly.x = random() * WIDTH;
          fly.y = random() * HEIGHT;
          fly.vx = fly.vy = 0;
        } else blob(canvas, fly.x, fly.y, fly.radius, 130);
      }
    },
  };
}

/** A thread with its spider right before the lens: it swings. */
export function cobweb(x: number, reach: number): Effect {
  return {
    stage: 'near',
    draw(canvas, t) {
      for (let y = 0; y < 190; y++) {
        const cx = x + reach * (y / 190) * (Math.sin(1.7 * t) + 0.4 * Math.sin(4.1 * t));
        eachPixel([cx, y, cx + 3, y + 1], (_x, _y, i) => {
          canvas[i] = (canvas[i] as number) + 60;
        });
      }
      blob(canvas, x + reach * (Math.sin(1.7 * t) + 0.4 * Math.sin(4.1 * t)), 190, 7, 110);
    },
  };
}

/** Levels through one curve: exposure, lamps, infrared switch. @param levels gain and offset at a moment */
export const exposure = (levels: (t: number) => readonly [number, number]): Effect => ({
  stage: 'lens',
  draw(canvas, t) {
    const [gain, offset] = levels(t);
    if (gain === 1 && offset === 0) return;
    for (let i = 0; i < PIXELS; i++)
      canvas[i] = Math.max(0, Math.min(255, gain * (canvas[i] as number) + offset));
  },
});

/** The pole: the whole picture moves. @param reach pixels */
export function shaking(reach: number, course: Course): Effect {
  const copy = new Float32Array(PIXELS);
  return {
    stage: 'lens',
    draw(canvas, t) {
      const dx = Math.round(
        reach * course(t) * (0.7 * Math.sin(2 * Math.PI * 2.7 * t) + 0.3 * Math.sin(2 * Math.PI * 6.1 * t)),
      );
      const dy = Math.round(0.5 * reach * course(t) * Math.sin(2 * Math.PI * 3.9 * t));
      if (dx === 0 && dy === 0) return;
      copy.set(canvas);
      eachPixel([0, 0, WIDTH, HEIGHT], (x, y, i) => {
        const [sx, sy] = [
          Math.max(0, Math.min(WIDTH - 1, x + dx)),
          Math.max(0, Math.min(HEIGHT - 1, y + dy)),
        ];
        canvas[i] = copy[sy * WIDTH + sx] as number;
      });
    },
  };
}
