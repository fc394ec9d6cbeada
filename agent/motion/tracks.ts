import { createClutter, NEWS_MS } from './clutter.ts';
import type { Patch } from './regions.ts';
import type { Thresholds } from './sensitivity.ts';
import { createSwing, type Swing } from './swing.ts';
import { createWay, type Way } from './way.ts';

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
  sway: number;
  solid: number;
  readonly way: Way;
  readonly swing: Swing;
  bornMs: number;
  seenMs: number;
  missed: number;
  sightings: number;
  /** Sightings in which it stirred, and when it last did. */
  active: number;
  stirMs: number;
  confirmed: boolean;
  /** Changed pixels when it was seen before. */
  lastPixels: number;
  /** Its size when it was first seen at the border; 0: it was first seen elsewhere. */
  camePixels: number;
  /** When it last went far enough to count. */
  wentMs: number;
  /** How often in a row it was only another light. */
  light: number;
  /** For how long it has stirred without going anywhere: a living thing, not a parked one. */
  livelyMs: number;
}

/** `confirmed`: goes somewhere. `present`: did, and now stands there and stirs. */
export type TrackState = 'confirmed' | 'present' | 'too-short' | 'in-place' | 'lighting';

const MAX_TRACKS = 64;
/** A thing may hide this many frames; a confirmed one longer. */
const MAX_MISSED = 2;
const MAX_MISSED_CONFIRMED = 4;
/** How far the middle of a small thing may be from where it is expected, and what a large one adds per cell width. */
const REACH = 18;
const REACH_OF_CELL = 8;
const FARTHEST = 90;
/** A region that grows or shrinks by more than this between two frames joined another or fell apart: where it was says
 *  nothing about where it goes. */
const SPLIT = 2.6;
/** At the border of the picture things grow because they come in. Light comes in, too, and makes everything brighter
 *  or everything darker: so much of a thing must be mixed, from the half. */
const MIXED = 0.48;
/** Net way divided by the way gone: what sways goes to and fro. */
const MIN_STRAIGHT = 0.6;
/** Where much comes and goes chance makes ways, too, but crooked ones: so much more for each that clutter asks. */
const STRAIGHTER = 0.04;
/** One leap is no way where many things are mistaken for each other. */
const LEAPS_FROM = 2;
const LONGEST_STEP = 0.4;
/** Where much comes and goes, a thing must be seen in nearly every picture, up to so many. */
const MOST_PLACES = 7;
/** What is seen as mere light this often in a row never was more. */
const LIGHT_SIGHTINGS = 2;
/** To and fro by this share of its own size, again and again: hangs or grows there. */
const SWING_SPAN = 0.5;
/** Farther in one step than this share of its own size: a bird, an insect or a reflection, unless it goes on. */
const FLIT = 0.75;
/** What enters at the border, where nothing sways: how large it must be by the least size, and how much it must have
 *  grown since it was first seen. */
const ENTERS_SIZE = 2;
const ENTERS_GROWTH = 1.25;
const ENTERS_SWAY = 0.05;
/** Share of a region's changed pixels that must differ from the recent picture. */
const MIN_STIR = 0.06;
const MIN_STIR_PIXELS = 4;
/** What was confirmed stays so without a stir for this long, and longer once it has shown that it lives. */
const HOLD_MS = 400;
const HOLD_LIVELY_MS = 4_000;
/** In a place or at a time where much moves, what stops going is let go after this. */
const LINGER_MS = 3_000;
const LINGER_CLUTTER_MS = 1_000;
/** Nobody is held out of the scene for longer than this without going anywhere: a flag, once taken for a visitor,
 *  would never be learnt. */
const HELD_MS = 20_000;
/** Slow work on one spot: a compact thing that stirs for this long where nothing moved before, and whose middle moves
 *  little (pixels in two seconds). */
const WORK_PATH = 30;
const WORK_MS = 3_000;
/** Until then nobody knows which places always move: a clock in the picture works on one spot, too. */
const KNOWS_MS = 8_000;
/** Where the light changes, leftovers of it flicker on one spot. */
const SETTLED_MS = 2_000;
const WORK_CELLS = 3;
const WORK_SWAY = 0.25;
/** Pictures rarer than this show only where a thing is, not how it goes. */
const RARE_MS = 700;
const RARE_SWAY = 0.1;
const ALIKE = 2.2;
/** So little clutter that what comes is news; it takes a quiet picture after the start. */
const CALM = 2.5;

/** Follows patches from frame to frame, and tells those that go somewhere from those that only sway or flicker. */
export function createTracker(thresholds: Thresholds) {
  const { minAgeMs, minTravel, minPixels, bigPixels } = thresholds;
  const tracks: Track[] = Array.from({ length: MAX_TRACKS }, () => ({
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
    sway: 0,
    solid: 0,
    way: createWay(),
    swing: createSwing(),
    bornMs: 0,
    seenMs: 0,
    missed: 0,
    sightings: 0,
    active: 0,
    stirMs: 0,
    confirmed: false,
    wentMs: 0,
    lastPixels: 0,
    camePixels: 0,
    light: 0,
    livelyMs: 0,
  }));
  const clutter = createClutter();
  let nextId = 1;
  let clearedMs = 0;
  let lightMs = Number.NEGATIVE_INFINITY;
  let nowMs = 0;
  let elapsedMs = 200;
  let last: Track | undefined;

  function find(patch: Patch): Track | undefined {
    let best: Track | undefined;
    let least = FARTHEST;
    const wide = elapsedMs > RARE_MS ? 2 : 1;
    const asks = clutter.asks();
    for (const track of tracks) {
      if (!track.used || track.seen) continue;
      const ahead = wide === 1 ? 0.5 : 0;
      const dx = patch.x - track.x - ahead * track.way.lastX();
      const dy = patch.y - track.y - ahead * track.way.lastY();
      const away = Math.hypot(dx, dy);
      const overlaps =
        patch.left <= track.right + 8 &&
        patch.right >= track.left - 8 &&
        patch.top <= track.bottom + 8 &&
        patch.bottom >= track.top - 8;
      const reach =
        (wide * (REACH + REACH_OF_CELL * Math.sqrt(track.cells) * (track.missed + 1))) / Math.sqrt(asks);
      if (away >= least || !(overlaps || away < reach)) continue;
      best = track;
      least = away;
    }
    return best;
  }

  function begin(patch: Patch): Track | undefined {
    const track = tracks.find(({ used }) => !used);
    if (!track) return undefined;
    track.used = true;
    track.id = nextId++;
    track.way.clear();
    track.swing.clear();
    track.bornMs = nowMs;
    track.sightings = 0;
    track.active = 0;
    track.confirmed = false;
    track.stirMs = nowMs;
    track.wentMs = nowMs;
    track.camePixels = patch.atBorder ? patch.pixels : 0;
    track.light = 0;
    track.livelyMs = 0;
    track.cells = patch.cells;
    return track;
  }

  function place(track: Track, patch: Patch): void {
    const step = Math.hypot(patch.x - track.x, patch.y - track.y);
    const span = Math.max(track.right - track.left, track.bottom - track.top);
    const ratio = patch.cells / track.cells;
    const comesIn = patch.atBorder && Math.abs(patch.brighter - patch.pixels / 2) < patch.pixels * MIXED;
    const grows = ratio > SPLIT && !comesIn;
    const jumps = grows || ratio < 1 / SPLIT || step > span * 1.5 + 12;
    if (jumps && track.sightings > 0 && elapsedMs <= RARE_MS) track.way.clear();
    track.x = patch.x;
    track.y = patch.y;
    track.left = patch.left;
    track.top = patch.top;
    track.right = patch.right;
    track.bottom = patch.bottom;
    track.cells = (track.cells + patch.cells) / 2;
    track.solid = patch.solid / patch.cells;
    track.sway = patch.sway;
    track.way.add(patch.x, patch.y, nowMs);
    track.swing.add(patch.x, patch.y, Math.max(minTravel, SWING_SPAN * span), nowMs);
    track.seen = true;
    track.seenMs = nowMs;
    track.missed = 0;
    track.sightings++;
    if (patch.stirred < Math.max(MIN_STIR_PIXELS, MIN_STIR * patch.pixels)) return;
    track.active++;
    track.stirMs = nowMs;
  }

  function goes(track: Track, patch: Patch, asks: number): boolean {
    const rare = elapsedMs > RARE_MS;
    if (rare && patch.pixels < bigPixels / 2 && !alike(track, patch, asks)) return false;
    if (track.swing.swings(nowMs)) return false;
    const enough = rare ? 2 : Math.min(MOST_PLACES, Math.round(3 * asks));
    const span = Math.max(track.right - track.left, track.bottom - track.top);
    const flits = track.way.path() > FLIT * span * (track.way.count() - 1);
    if (!rare && !flits && asks === 1 && enters(track, patch)) return true;
    const ageMs = minAgeMs * Math.max(Math.min(asks, 3), flits && !rare ? 2 : 1);
    if (track.way.count() < enough || track.way.ageMs() < ageMs) return false;
    const net = track.way.net();
    const travel = minTravel * asks * (1 + 2 * track.sway) * (rare ? 1.5 : 1);
    const straight = MIN_STRAIGHT + STRAIGHTER * (asks - 1);
    if (asks > LEAPS_FROM && track.way.longest() > LONGEST_STEP * net) return false;
    return net >= travel && net >= straight * track.way.path();
  }

  /** Two rare pictures show the same small thing, and nothing else: as large as before, where nothing sways. */
  function alike(track: Track, { pixels }: Patch, asks: number): boolean {
    const ratio = pixels / Math.max(1, track.lastPixels);
    return asks === 1 && track.sway < RARE_SWAY && ratio > 1 / ALIKE && ratio < ALIKE;
  }

  /** Comes in from outside, and more of it with every look: two are enough. */
  function enters(track: Track, patch: Patch): boolean {
    return (
      track.camePixels > 0 &&
      patch.pixels >= Math.max(ENTERS_SIZE * minPixels, ENTERS_GROWTH * track.camePixels) &&
      track.sway < ENTERS_SWAY &&
      track.way.ageMs() >= minAgeMs / 2 &&
      track.way.net() >= minTravel
    );
  }

  function works(track: Track, asks: number): boolean {
    return (
      nowMs - clearedMs >= KNOWS_MS &&
      nowMs - lightMs >= SETTLED_MS &&
      nowMs - track.bornMs >= WORK_MS * asks &&
      track.cells >= WORK_CELLS &&
      track.sightings >= 3 &&
      track.active > 0.6 * track.sightings &&
      track.solid >= 0.4 &&
      track.way.path() <= WORK_PATH &&
      track.sway < WORK_SWAY
    );
  }

  function judge(track: Track, patch: Patch): TrackState {
    const asks = clutter.asks();
    const going = goes(track, patch, asks);
    if (!track.confirmed) {
      const stirs = track.stirMs === nowMs;
      const calm = clutter.level() < CALM;
      const comes = elapsedMs > RARE_MS && calm && patch.pixels >= bigPixels && track.sway < RARE_SWAY;
      const lives = track.active >= Math.min(2, track.sightings);
      if (!stirs || !lives || !(going || comes || works(track, asks))) {
        return nowMs - track.bornMs < minAgeMs ? 'too-short' : 'in-place';
      }
      track.confirmed = true;
      track.wentMs = nowMs;
      track.livelyMs = 0;
      return 'confirmed';
    }
    if (going) {
      track.wentMs = nowMs;
      track.livelyMs = 0;
      return 'confirmed';
    }
    const stoodMs = nowMs - track.wentMs;
    if (track.stirMs === nowMs && stoodMs > 1_500) track.livelyMs += elapsedMs;
    const hold = Math.max(HOLD_MS, elapsedMs * 0.75) + Math.min(HOLD_LIVELY_MS, track.livelyMs);
    const out = nowMs - track.stirMs > hold;
    const doubtful = asks > 1.5 ? stoodMs > LINGER_CLUTTER_MS : stoodMs > LINGER_MS && track.sway > 0.3;
    if (!out && !doubtful && !track.swing.swings(nowMs)) return 'present';
    track.confirmed = false;
    track.bornMs = nowMs;
    track.sightings = 0;
    track.active = 0;
    track.way.clear();
    return 'in-place';
  }

  return {
    tracks,
    /** Before the patches of a frame. */
    beginFrame(atMs: number, sinceMs: number): void {
      nowMs = atMs;
      elapsedMs = sinceMs;
      let fresh = 0;
      for (const track of tracks) {
        track.seen = false;
        const { used, confirmed, missed, light, bornMs } = track;
        if (used && !confirmed && missed === 0 && light === 0 && nowMs - bornMs < NEWS_MS) fresh++;
      }
      clutter.news(fresh);
    },
    /** Each patch of the frame that may be a thing, the largest first.
     *  @param light it has no outline: it cannot be confirmed by this look */
    follow(patch: Patch, light: boolean): TrackState {
      const track = find(patch) ?? begin(patch);
      last = track;
      if (!track) return 'too-short';
      track.light = light ? track.light + 1 : 0;
      if (light) lightMs = nowMs;
      if (track.light >= LIGHT_SIGHTINGS) {
        track.confirmed = false;
        track.way.clear();
      }
      place(track, patch);
      if (light && !track.confirmed) return 'lighting';
      const enough = track.confirmed || patch.pixels >= minPixels * clutter.asks();
      const state = enough ? judge(track, patch) : 'too-short';
      track.lastPixels = patch.pixels;
      return state;
    },
    /** The track that the last patch belongs to. */
    last: () => last,
    /** After the patches of a frame: forgets what is gone. */
    endFrame(): void {
      let unconfirmed = 0;
      for (const { used, seen, confirmed, light } of tracks)
        if (used && seen && !confirmed && light === 0) unconfirmed++;
      clutter.note(unconfirmed, elapsedMs);
      for (const track of tracks) {
        if (!track.used || track.seen) continue;
        track.missed++;
        if (track.missed > (track.confirmed ? MAX_MISSED_CONFIRMED : MAX_MISSED)) track.used = false;
      }
    },
    /** Whether the place of this track must not be learnt as scene. */
    isHeld: (track: Track) => track.used && track.confirmed && track.seen && nowMs - track.wentMs < HELD_MS,
    clear(atMs: number): void {
      clearedMs = atMs;
      for (const track of tracks) track.used = false;
    },
    clutter: clutter.level,
  };
}
