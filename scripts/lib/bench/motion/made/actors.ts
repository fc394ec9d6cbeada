import { type Canvas, createRandom, eachPixel, HEIGHT, WIDTH } from './canvas.ts';

/** Somebody or something that comes: a must-detect event. */
export interface Actor {
  readonly kind: 'person' | 'car' | 'animal';
  /** Height in the picture, pixels of 360. */
  readonly height: number;
  /** Where it is: the middle of its feet, and how large it is by its height (1). Undefined: it is not there. */
  readonly at: (t: number) => readonly [x: number, y: number, scale?: number] | undefined;
  /** Grey levels from what a person wears to a car's paint. */
  readonly levels: readonly [number, number, number];
  /** Darkens the ground beside it. */
  readonly shadow?: boolean;
  readonly seed: number;
}

const WIDE = { person: 0.42, car: 2.3, animal: 1.9 } as const;
/** Of its box, so much must be in the picture before it counts as there. */
const VISIBLE = 0.4;

/** Share of its box that lies in the picture. */
export function visibleShare(actor: Actor, t: number): number {
  const place = actor.at(t);
  if (!place) return 0;
  const [x, y, scale = 1] = place;
  const high = actor.height * scale;
  const half = (WIDE[actor.kind] * high) / 2;
  const across = Math.max(0, Math.min(WIDTH, x + half) - Math.max(0, x - half)) / (2 * half);
  return across * (Math.max(0, Math.min(HEIGHT, y) - Math.max(0, y - high)) / high);
}

export const isThere = (actor: Actor, t: number): boolean => visibleShare(actor, t) >= VISIBLE;

export function drawActor(canvas: Canvas, actor: Actor, t: number): void {
  const place = actor.at(t);
  if (!place) return;
  const [x, y, scale = 1] = place;
  const high = actor.height * scale;
  const half = (WIDE[actor.kind] * high) / 2;
  if (actor.shadow)
    eachPixel([x - half, y - 0.08 * high, x + 2.2 * half, y + 0.1 * high], (px, py, i) => {
      const away = ((px - x - half * 0.6) / (1.5 * half)) ** 2 + ((py - y) / (0.08 * high)) ** 2;
      if (away < 1) canvas[i] = (canvas[i] as number) * (0.62 + 0.3 * away);
    });
  const random = createRandom(actor.seed);
  const grain = Float32Array.from({ length: 1024 }, () => 10 * (random() - 0.5));
  const levelOf = { person, car, animal }[actor.kind];
  eachPixel([x - half, y - high, x + half, y], (px, py, i) => {
    const u = (px + 0.5 - x) / high;
    const v = (py + 0.5 - (y - high)) / high;
    const part = levelOf(u, v, t);
    if (part < 0) return;
    const patch = (Math.floor((u + 2) * 24) * 31 + Math.floor(v * 24) * 17) & 1023;
    canvas[i] = actor.levels[part as 0 | 1 | 2] + (grain[patch] as number);
  });
}

/** Which part of it is at a place, by its height; -1: none. */
type Shape = (u: number, v: number, t: number) => -1 | 0 | 1 | 2;

const person: Shape = (u, v, t) => {
  if (Math.hypot(u, v - 0.075) < 0.075) return 0;
  const swing = 0.16 * Math.sin(2 * Math.PI * 0.95 * t);
  if (v > 0.15 && v < 0.53 && Math.abs(u) < 0.115 - 0.03 * Math.abs(v - 0.3)) return 1;
  const arm = (v - 0.18) / 0.35;
  if (arm > 0 && arm < 1)
    for (const side of [-1, 1]) if (Math.abs(u - side * 0.11 - side * swing * arm * 0.8) < 0.035) return 1;
  const leg = (v - 0.5) / 0.5;
  if (leg > 0 && leg <= 1)
    for (const side of [-1, 1]) if (Math.abs(u - side * (0.04 + swing * leg)) < 0.062 - 0.02 * leg) return 2;
  return -1;
};

const car: Shape = (u, v) => {
  if (v > 0.72) for (const wheel of [-0.68, 0.68]) if (Math.hypot(u - wheel, v - 0.82) < 0.18) return 2;
  if (v > 0.42 && v < 0.86 && Math.abs(u) < 1.13 - 0.2 * Math.max(0, 0.6 - v)) return 0;
  if (v >= 0.02 && v <= 0.45 && Math.abs(u) < 0.42 + 0.6 * v)
    return v > 0.1 && v < 0.38 && Math.abs(u) < 0.34 + 0.5 * v ? 1 : 0;
  return -1;
};

const animal: Shape = (u, v, t) => {
  if (v > 0.22 && v < 0.68 && (u / 0.66) ** 2 + ((v - 0.45) / 0.24) ** 2 < 1) return 0;
  if (Math.hypot(u - 0.72, v - 0.25) < 0.2) return 1;
  const leg = (v - 0.6) / 0.4;
  const swing = 0.2 * Math.sin(2 * Math.PI * 1.7 * t);
  if (leg > 0 && leg <= 1)
    for (const at of [-0.45, 0.42])
      for (const side of [-1, 1]) if (Math.abs(u - at - side * swing * leg) < 0.06) return 2;
  return -1;
};

/** Straight on, from one place to another; undefined before and after. */
export const walk =
  (
    from: readonly [number, number],
    to: readonly [number, number],
    beginS: number,
    pixelsPerS: number,
  ): Actor['at'] =>
  (t) => {
    const way = Math.hypot(to[0] - from[0], to[1] - from[1]);
    const share = ((t - beginS) * pixelsPerS) / way;
    return share < 0 || share > 1
      ? undefined
      : [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
  };

/** Goes to a place, stands there and shifts from one foot to the other, goes on. */
export const walkAndStand =
  (
    from: readonly [number, number],
    stop: readonly [number, number],
    to: readonly [number, number],
    beginS: number,
    pixelsPerS: number,
    standS: number,
  ): Actor['at'] =>
  (t) => {
    const arrivesS = beginS + Math.hypot(stop[0] - from[0], stop[1] - from[1]) / pixelsPerS;
    if (t < arrivesS) return walk(from, stop, beginS, pixelsPerS)(t);
    if (t < arrivesS + standS) return [stop[0] + 2.5 * Math.sin(1.9 * t), stop[1]];
    return walk(stop, to, arrivesS + standS, pixelsPerS)(t);
  };

/** Comes to a halt smoothly and stays. */
export const arrive =
  (
    from: readonly [number, number],
    stop: readonly [number, number],
    beginS: number,
    forS: number,
  ): Actor['at'] =>
  (t) => {
    if (t < beginS) return undefined;
    const left = (1 - Math.min(1, (t - beginS) / forS)) ** 2;
    return [stop[0] + (from[0] - stop[0]) * left, stop[1] + (from[1] - stop[1]) * left];
  };

/** Towards the lens: grows as it comes. */
export const approach =
  (
    from: readonly [number, number],
    to: readonly [number, number],
    beginS: number,
    forS: number,
    growth: number,
  ): Actor['at'] =>
  (t) => {
    const share = (t - beginS) / forS;
    if (share < 0 || share > 1) return undefined;
    // A steady walk in the scene is slow in the picture at first.
    const near = share / (growth - (growth - 1) * share);
    return [from[0] + (to[0] - from[0]) * near, from[1] + (to[1] - from[1]) * near, 1 + (growth - 1) * near];
  };
