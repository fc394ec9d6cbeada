import { distance } from '../distance.ts';
import { type LineSide, unknownSide } from './lines.ts';
import { copyRegion, type OwnRegion, type Region } from '../region-list.ts';

/** What a object has to do with one zone. */
export interface Stay {
  /** Monotonic moment since when it is there; NaN: it is not. */
  sinceMs: number;
  lastMs: number;
  /** It has started a recording by staying, and does so only once while it stands still. */
  told: boolean;
}

/** One object over time: a region of the model followed from frame to frame. Relative coordinates. */
export interface ZoneObject {
  used: boolean;
  seen: boolean;
  /** The model has taken it for motion at least once. */
  confirmed: boolean;
  /** Where it was last seen: a copy, for that of the model is another in the next frame. */
  readonly region: OwnRegion;
  /** Smoothed centre. */
  x: number;
  y: number;
  fromX: number;
  fromY: number;
  firstMs: number;
  lastMs: number;
  frames: number;
  /** Way of the centre, widths of the picture. */
  path: number;
  readonly stays: Stay[];
  readonly sides: LineSide[];
  /** When it crossed each line although the model had not confirmed it yet; NaN: never. */
  readonly crossedMs: Float64Array;
  /** To which side it went then: -1 left, 1 right. */
  readonly crossedTo: Int8Array;
}

const MAX_OBJECTS = 32;
/** The centre follows what is measured with this time constant. */
const SMOOTH_MS = 250;
/** How far a object may be from where it was: so much at once, and so much for each second. Widths of the picture. */
const REACH = 0.06;
const REACH_PER_S = 0.3;
const MOST_REACH = 0.5;

/** Follows regions whether they count or not: what crosses a line or a zone's border before the model is sure of it
 *  is not lost. The objects are used again, and loops count: an iterator would be garbage of every frame.
 *  @param aspect height of the picture by its width */
export function createZoneObjects(zones: number, lines: number, aspect: number) {
  const objects: ZoneObject[] = Array.from({ length: MAX_OBJECTS }, () => ({
    used: false,
    seen: false,
    confirmed: false,
    region: [0, 0, 0, 0],
    x: 0,
    y: 0,
    fromX: 0,
    fromY: 0,
    firstMs: 0,
    lastMs: 0,
    frames: 0,
    path: 0,
    stays: Array.from({ length: zones }, () => ({ sinceMs: Number.NaN, lastMs: Number.NaN, told: false })),
    sides: Array.from({ length: lines }, unknownSide),
    crossedMs: new Float64Array(lines),
    crossedTo: new Int8Array(lines),
  }));

  function nearest(region: Region, atMs: number): ZoneObject | undefined {
    const x = (region[0] + region[2]) / 2;
    const y = (region[1] + region[3]) / 2;
    let best: ZoneObject | undefined;
    let bestScore = Number.POSITIVE_INFINITY;
    for (let i = 0; i < objects.length; i++) {
      const object = objects[i] as ZoneObject;
      if (!object.used || object.seen) continue;
      const between = gap(object.region, region, aspect);
      if (between > Math.min(MOST_REACH, REACH + (REACH_PER_S * (atMs - object.lastMs)) / 1000)) continue;
      const score = 4 * between + distance(x - object.x, (y - object.y) * aspect);
      if (score >= bestScore) continue;
      best = object;
      bestScore = score;
    }
    return best;
  }

  function unused(): ZoneObject | undefined {
    for (let i = 0; i < objects.length; i++) if (!objects[i]?.used) return objects[i];
    return undefined;
  }

  function begin(x: number, y: number, atMs: number): ZoneObject | undefined {
    const object = unused();
    if (!object) return undefined;
    object.used = true;
    object.confirmed = false;
    object.x = object.fromX = x;
    object.y = object.fromY = y;
    object.firstMs = object.lastMs = atMs;
    object.frames = 0;
    object.path = 0;
    object.crossedMs.fill(Number.NaN);
    for (let i = 0; i < zones; i++) leave(object.stays[i] as Stay);
    for (let i = 0; i < lines; i++) (object.sides[i] as LineSide).side = 0;
    return object;
  }

  return {
    objects: objects as readonly ZoneObject[],
    /** Before the regions of a frame. */
    beginFrame(): void {
      for (let i = 0; i < objects.length; i++) (objects[i] as ZoneObject).seen = false;
    },
    /** @returns undefined when more moves than anybody can follow */
    follow(region: Region, confirmed: boolean, atMs: number): ZoneObject | undefined {
      const x = (region[0] + region[2]) / 2;
      const y = (region[1] + region[3]) / 2;
      const object = nearest(region, atMs) ?? begin(x, y, atMs);
      if (!object) return undefined;
      const share = object.frames === 0 ? 1 : 1 - Math.exp(-(atMs - object.lastMs) / SMOOTH_MS);
      const dx = share * (x - object.x);
      const dy = share * (y - object.y);
      object.x += dx;
      object.y += dy;
      object.path += distance(dx, dy * aspect);
      copyRegion(region, object.region);
      object.frames++;
      object.lastMs = atMs;
      object.seen = true;
      object.confirmed ||= confirmed;
      return object;
    },
    /** After the regions of a frame: forgets what has not been seen for `patienceMs`. */
    endFrame(atMs: number, patienceMs: number): void {
      for (let i = 0; i < objects.length; i++) {
        const object = objects[i] as ZoneObject;
        if (object.used && atMs - object.lastMs > patienceMs) object.used = false;
      }
    },
  };
}

export function leave(stay: Stay): void {
  stay.sinceMs = Number.NaN;
  stay.lastMs = Number.NaN;
  stay.told = false;
}

/** Distance between the borders of two boxes, widths of the picture. */
function gap(a: Region, b: Region, aspect: number): number {
  const dx = Math.max(0, a[0] - b[2], b[0] - a[2]);
  const dy = Math.max(0, a[1] - b[3], b[1] - a[3]);
  return Math.max(dx, dy * aspect);
}
