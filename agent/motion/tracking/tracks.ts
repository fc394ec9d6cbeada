import { createClutter, NEWS_MS } from './clutter.ts';
import { distance } from '../distance.ts';
import type { IdlePlaces } from '../scene/idle.ts';
import type { Patch } from './regions.ts';
import type { Thresholds } from '../sensitivity.ts';
import { begin, createTrack, type Moment, place, type Track } from './track.ts';
import { createTrackJudge, type TrackState } from './track-judge.ts';

const MAX_TRACKS = 64;
/** A thing may hide this many frames; a confirmed one longer. */
const MAX_MISSED = 2;
const MAX_MISSED_CONFIRMED = 4;
/** How far the middle of a small thing may be from where it is expected, and what a large one adds per cell width. */
const REACH = 18;
const REACH_OF_CELL = 8;
const FARTHEST = 90;
/** Boxes so close to each other overlap, pixels. */
const TOUCH = 8;
/** Pictures rarer than this show only where a thing is, not how it goes. */
const RARE_MS = 700;
/** What is seen as mere light this often in a row never was more. */
const LIGHT_SIGHTINGS = 2;
/** In an idle place a thing must be larger by this factor than what came to nothing there. */
const LARGER = 2;
/** What was nowhere but in a box of this diagonal (pixels), and only for so long, has been nowhere. */
const HOME = 64;
const HOME_RARE = 120;
const BRIEF_MS = 10_000;
/** Nobody is held out of the scene for longer than this without going anywhere: a flag, once taken for a visitor,
 *  would never be learnt. */
const HELD_MS = 20_000;

/** Follows patches from frame to frame, and tells those that go somewhere from those that only sway or flicker. */
// oxlint-disable-next-line max-lines-per-function -- one list of tracks and what is true of the moment; each inner function walks that list for each frame
export function createTracker(thresholds: Thresholds, places: IdlePlaces) {
  const { minTravel, minPixels } = thresholds;
  const judge = createTrackJudge(thresholds);
  const tracks: Track[] = Array.from({ length: MAX_TRACKS }, createTrack);
  const clutter = createClutter();
  const moment: Moment = {
    nowMs: 0,
    elapsedMs: 0,
    rare: false,
    regions: 0,
    clutter: 0,
    asks: 1,
    clearedMs: 0,
    lightMs: Number.NEGATIVE_INFINITY,
  };
  let nextId = 1;
  let last: Track | undefined;

  /** The nearest thing that the patch may be, else a new one. */
  function find(patch: Patch): Track | undefined {
    let best: Track | undefined;
    let free: Track | undefined;
    let least = FARTHEST;
    const wide = moment.rare ? 2 : 1;
    const ahead = moment.rare ? 0 : 0.5;
    for (let i = 0; i < tracks.length; i++) {
      const track = tracks[i] as Track;
      if (!track.used) free ??= track;
      if (!track.used || track.seen) continue;
      const dx = patch.x - track.x - ahead * track.trajectory.lastX();
      const dy = patch.y - track.y - ahead * track.trajectory.lastY();
      const away = distance(dx, dy);
      const reach =
        (wide * (REACH + REACH_OF_CELL * Math.sqrt(track.cells) * (track.missed + 1))) /
        Math.sqrt(moment.asks);
      if (away >= least || !(away < reach || overlaps(patch, track))) continue;
      best = track;
      least = away;
    }
    if (!best && free) begin(free, nextId++, patch, moment.nowMs);
    return best ?? free;
  }

  return {
    tracks: tracks as readonly Track[],
    /** Before the patches of a frame, of which there are so many. */
    beginFrame(atMs: number, sinceMs: number, regions: number): void {
      moment.regions = regions;
      moment.nowMs = atMs;
      moment.elapsedMs = sinceMs;
      moment.rare = sinceMs > RARE_MS;
      let news = 0;
      for (let i = 0; i < tracks.length; i++) {
        const track = tracks[i] as Track;
        track.seen = false;
        if (!track.used || track.confirmed || track.missed > 0 || track.light > 0) continue;
        if (atMs - track.bornMs < NEWS_MS) news++;
      }
      clutter.news(news);
      moment.clutter = clutter.level();
      moment.asks = clutter.asks();
    },
    /** Each patch of the frame that may be a thing, the largest first.
     *  @param light it has no outline: it cannot be confirmed by this look */
    follow(patch: Patch, light: boolean): TrackState {
      const track = find(patch);
      last = track;
      if (!track) return 'too-short';
      track.light = light ? track.light + 1 : 0;
      if (light) moment.lightMs = moment.nowMs;
      if (track.light >= LIGHT_SIGHTINGS) {
        track.confirmed = false;
        track.trajectory.clear();
      }
      if (light && !track.confirmed) track.trajectory.clear();
      place(track, patch, light, moment, minTravel);
      if (light && !track.confirmed) return 'lighting';
      const enough =
        track.confirmed || patch.pixels >= Math.max(minPixels * moment.asks, LARGER * patch.idlePixels);
      return enough ? judge(track, moment) : 'too-short';
    },
    /** The track that the last patch belongs to. */
    last: () => last,
    /** After the patches of a frame: forgets what is gone. */
    endFrame(): void {
      let unconfirmed = 0;
      let followed = false;
      for (let i = 0; i < tracks.length; i++) {
        const track = tracks[i] as Track;
        if (!track.used) continue;
        followed = true;
        if (track.counted && wentSomewhere(track, moment)) places.visited();
        if (!track.seen) {
          track.missed++;
          if (track.missed <= (track.confirmed ? MAX_MISSED_CONFIRMED : MAX_MISSED)) continue;
          track.used = false;
          if (cameToNothing(track, moment))
            places.nothing(
              track.homeLeft,
              track.homeTop,
              track.homeRight,
              track.homeBottom,
              track.mostPixels,
            );
          else if (track.counted) places.visited();
        } else if (!track.confirmed && track.light === 0) unconfirmed++;
      }
      clutter.note(unconfirmed, moment.elapsedMs);
      places.pass(moment.elapsedMs, followed);
    },
    /** Whether the place of this track must not be learnt as scene. */
    isHeld: (track: Track) =>
      track.used && track.confirmed && track.seen && moment.nowMs - track.wentMs < HELD_MS,
    clear(atMs: number): void {
      moment.clearedMs = atMs;
      for (const track of tracks) track.used = false;
    },
    clutter: clutter.level,
  };
}

const overlaps = (a: Patch, b: Track) =>
  a.left <= b.right + TOUCH &&
  a.right >= b.left - TOUCH &&
  a.top <= b.bottom + TOUCH &&
  a.bottom >= b.top - TOUCH;

/** It never counted, or it did, and yet neither came from anywhere nor went anywhere. */
const cameToNothing = (track: Track, moment: Moment) =>
  track.counted ? !wentSomewhere(track, moment) : track.active > 0 && (track.sightings > 1 || moment.rare);

function wentSomewhere(track: Track, { rare }: Moment): boolean {
  const home = distance(track.homeRight - track.homeLeft, track.homeBottom - track.homeTop);
  return home >= (rare ? HOME_RARE : HOME) || track.seenMs - track.firstMs >= BRIEF_MS;
}
