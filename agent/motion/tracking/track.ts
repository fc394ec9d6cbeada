import { distance } from '../distance.ts';
import type { Patch } from './regions.ts';
import { createOscillation, type Oscillation } from './oscillation.ts';
import { createTrajectory, type Trajectory } from './trajectory.ts';

/** One moving thing over time. Pixels and milliseconds. The objects are used again. */
export interface Track {
  id: number;
  used: boolean;
  seen: boolean;
  x: number;
  y: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
  cells: number;
  atBorder: boolean;
  sway: number;
  idle: number;
  /** All places where it was. */
  homeLeft: number;
  homeTop: number;
  homeRight: number;
  homeBottom: number;
  /** The most changed pixels that it ever had. */
  mostPixels: number;
  firstMs: number;
  seenMs: number;
  /** It was confirmed at least once. */
  counted: boolean;
  solid: number;
  readonly trajectory: Trajectory;
  readonly oscillation: Oscillation;
  bornMs: number;
  missed: number;
  sightings: number;
  /** Sightings in which it stirred, and when it last did. */
  active: number;
  stirMs: number;
  confirmed: boolean;
  /** Changed pixels when it was seen last, and the time before that. */
  pixels: number;
  pixelsBefore: number;
  /** Its size when it was first seen at the border; 0: it was first seen elsewhere. */
  camePixels: number;
  /** How often in a row it has grown, since when and from which size. */
  grew: number;
  growsMs: number;
  growsPixels: number;
  /** When it last went far enough to count. */
  wentMs: number;
  /** How often in a row it was only another light. */
  light: number;
  /** For how long it has stirred without going anywhere: a living thing, not a parked one. */
  livelyMs: number;
}

/** What all things of a picture have in common. */
export interface Moment {
  nowMs: number;
  /** Since the picture before. */
  elapsedMs: number;
  /** The one before is so long ago that this one shows only where a thing is, not how it goes. */
  rare: boolean;
  /** How many regions it has. */
  regions: number;
  /** How many things come to nothing at a time, and the factor that this puts on what each must show. */
  clutter: number;
  asks: number;
  /** When following began anew. */
  clearedMs: number;
  /** When something was last seen to be mere light. */
  lightMs: number;
}

/** A region that grows or shrinks by more than this between two frames joined another or fell apart: where it was says
 *  nothing about where it goes. */
const SPLIT = 2.6;
/** What keeps less than this between two frames went out of sight in part: its middle moved, it did not. */
const KEEPS = 0.67;
/** It grows when it gets larger by this factor with every look. */
const GROWS = 1.08;
/** To and fro by this share of its own size, again and again: hangs or grows there. */
const SWING_SPAN = 0.5;
/** Share of a region's changed pixels that must differ from the recent picture. */
const MIN_STIR = 0.06;
const MIN_STIR_PIXELS = 4;

export function createTrack(): Track {
  return {
    id: 0,
    used: false,
    seen: false,
    x: 0,
    y: 0,
    left: 0,
    top: 0,
    right: 0,
    bottom: 0,
    cells: 0,
    atBorder: false,
    sway: 0,
    idle: 0,
    homeLeft: 0,
    homeTop: 0,
    homeRight: 0,
    homeBottom: 0,
    mostPixels: 0,
    firstMs: 0,
    seenMs: 0,
    counted: false,
    solid: 0,
    trajectory: createTrajectory(),
    oscillation: createOscillation(),
    bornMs: 0,
    missed: 0,
    sightings: 0,
    active: 0,
    stirMs: 0,
    confirmed: false,
    pixels: 0,
    pixelsBefore: 0,
    camePixels: 0,
    grew: 0,
    growsMs: 0,
    growsPixels: 0,
    wentMs: 0,
    light: 0,
    livelyMs: 0,
  };
}

/** A track is used for a new thing; `place` comes next. */
export function begin(track: Track, id: number, patch: Patch, nowMs: number): void {
  track.used = true;
  track.id = id;
  track.trajectory.clear();
  track.oscillation.clear();
  track.bornMs = nowMs;
  track.sightings = 0;
  track.active = 0;
  track.confirmed = false;
  track.stirMs = nowMs;
  track.wentMs = nowMs;
  track.pixels = 0;
  track.camePixels = patch.atBorder ? patch.pixels : 0;
  track.light = 0;
  track.livelyMs = 0;
  track.cells = patch.cells;
  track.mostPixels = 0;
  track.firstMs = nowMs;
  track.counted = false;
  track.homeLeft = patch.left;
  track.homeTop = patch.top;
  track.homeRight = patch.right;
  track.homeBottom = patch.bottom;
}

/** The thing is not what it was taken for: it has to show again that it goes. */
export function doubt(track: Track, nowMs: number): void {
  track.confirmed = false;
  track.bornMs = nowMs;
  track.sightings = 0;
  track.active = 0;
  track.trajectory.clear();
}

/** A thing is seen again.
 *  @param light it has no outline
 *  @param leastTurn a way back that is shorter is no turn, pixels */
export function place(track: Track, patch: Patch, light: boolean, moment: Moment, leastTurn: number): void {
  const { nowMs, rare } = moment;
  const again = track.sightings > 0;
  const span = spanOf(track);
  // At the border a thing grows and shrinks because it comes in and goes out. Light comes in, too.
  const crosses = patch.atBorder && track.atBorder && !light;
  if (again && !rare) {
    if (jumps(track, patch, span, crosses)) track.trajectory.clear();
    else if (patch.pixels < KEEPS * track.pixels && !crosses)
      track.trajectory.shift(patch.x - track.x, patch.y - track.y);
  }
  track.atBorder = patch.atBorder;
  track.x = patch.x;
  track.y = patch.y;
  track.left = patch.left;
  track.top = patch.top;
  track.right = patch.right;
  track.bottom = patch.bottom;
  track.cells = (track.cells + patch.cells) / 2;
  track.solid = patch.solid / patch.cells;
  track.sway = patch.sway;
  track.idle = patch.idle;
  track.homeLeft = Math.min(track.homeLeft, patch.left);
  track.homeTop = Math.min(track.homeTop, patch.top);
  track.homeRight = Math.max(track.homeRight, patch.right);
  track.homeBottom = Math.max(track.homeBottom, patch.bottom);
  track.trajectory.add(patch.x, patch.y, nowMs);
  track.oscillation.add(patch.x, patch.y, Math.max(leastTurn, SWING_SPAN * span), nowMs);
  if (again && !light && patch.pixels >= GROWS * track.pixels) track.grew++;
  else {
    track.grew = 0;
    track.growsMs = nowMs;
    track.growsPixels = patch.pixels;
  }
  track.pixelsBefore = track.pixels;
  track.pixels = patch.pixels;
  track.mostPixels = Math.max(track.mostPixels, patch.pixels);
  track.seen = true;
  track.seenMs = nowMs;
  track.missed = 0;
  track.sightings++;
  if (patch.stirred < Math.max(MIN_STIR_PIXELS, MIN_STIR * patch.pixels)) return;
  track.active++;
  track.stirMs = nowMs;
}

function jumps(track: Track, patch: Patch, span: number, crosses: boolean): boolean {
  const ratio = patch.cells / track.cells;
  const step = distance(patch.x - track.x, patch.y - track.y);
  return (ratio > SPLIT && !crosses) || ratio < 1 / SPLIT || step > span * 1.5 + 12;
}

/** The longer side of its box. */
export const spanOf = (track: Track) => Math.max(track.right - track.left, track.bottom - track.top);
