import type { Patch } from './regions.ts';
import type { Thresholds } from './sensitivity.ts';

/** One moving thing over time. Pixels. The objects are used again. */
interface Track {
  used: boolean;
  x: number;
  y: number;
  fromX: number;
  fromY: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
  path: number;
  frames: number;
  missed: number;
  confirmed: boolean;
  /** Frames since it last was `minTravel` away from `fromX`, `fromY`, once confirmed. */
  still: number;
  seen: boolean;
}

export type TrackState = 'confirmed' | 'too-short' | 'in-place';

const MAX_TRACKS = 64;
/** A thing may jump over a gap of this many pixels between two frames. */
const REACH = 24;
/** A thing may hide this many frames; a confirmed one longer. */
const MAX_MISSED = 3;
const MAX_MISSED_CONFIRMED = 10;
/** Way straight from its start, divided by the way it went: what sways goes to and fro. */
const MIN_STRAIGHT = 0.5;
/** A confirmed thing that stays within `minTravel` of one place for this many frames has to go on to count again:
 *  what is parked, or the place where something stood when the camera learnt the scene. */
const STILL_FRAMES = 40;
/** Rain, insects and leaves make many tracks that end as they began. Each adds to the clutter, which fades with
 *  every frame and raises what a track must show, up to `MAX_CLUTTER` times as much again. */
const CLUTTER_OF_ONE = 0.12;
const CLUTTER_FADES = 0.975;
const MAX_CLUTTER = 2;

/** Follows patches from frame to frame, and tells those that go somewhere from those that only sway or flicker.
 *  A track that is confirmed stays so until it is lost or stands still for long. */
export function createTracker({ minFrames, minTravel }: Thresholds) {
  const tracks: Track[] = Array.from({ length: MAX_TRACKS }, () => ({
    used: false,
    x: 0,
    y: 0,
    fromX: 0,
    fromY: 0,
    left: 0,
    top: 0,
    right: 0,
    bottom: 0,
    path: 0,
    frames: 0,
    missed: 0,
    confirmed: false,
    still: 0,
    seen: false,
  }));

  let clutter = 0;

  function gap(track: Track, patch: Patch): number {
    const dx = Math.max(0, patch.left - track.right, track.left - patch.right);
    const dy = Math.max(0, patch.top - track.bottom, track.top - patch.bottom);
    return Math.max(dx, dy);
  }

  function nearest(patch: Patch): Track | undefined {
    let best: Track | undefined;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const track of tracks) {
      if (!track.used || track.seen) continue;
      const between = gap(track, patch);
      if (between > REACH) continue;
      const score = between * 4 + Math.hypot(track.x - patch.x, track.y - patch.y);
      if (score >= bestScore) continue;
      best = track;
      bestScore = score;
    }
    return best;
  }

  function place(track: Track, patch: Patch): void {
    track.x = patch.x;
    track.y = patch.y;
    track.left = patch.left;
    track.top = patch.top;
    track.right = patch.right;
    track.bottom = patch.bottom;
    track.frames++;
    track.missed = 0;
    track.seen = true;
  }

  function begin(patch: Patch): Track | undefined {
    const track = tracks.find(({ used }) => !used);
    if (!track) return undefined;
    track.used = true;
    track.frames = 0;
    track.confirmed = false;
    place(track, patch);
    startHere(track);
    return track;
  }

  function startHere(track: Track): void {
    track.fromX = track.x;
    track.fromY = track.y;
    track.path = 0;
    track.still = 0;
  }

  function judge(track: Track): TrackState {
    const travel = Math.hypot(track.x - track.fromX, track.y - track.fromY);
    if (track.confirmed) {
      track.still++;
      if (travel >= minTravel) startHere(track);
      if (track.still < STILL_FRAMES) return 'confirmed';
      track.confirmed = false;
      startHere(track);
      return 'in-place';
    }
    if (track.frames < minFrames * (1 + clutter)) return 'too-short';
    if (travel < minTravel * (1 + clutter) || travel < MIN_STRAIGHT * track.path) return 'in-place';
    track.confirmed = true;
    startHere(track);
    return 'confirmed';
  }

  return {
    /** Before the patches of a frame. */
    beginFrame(): void {
      for (const track of tracks) track.seen = false;
    },
    /** Each patch of the frame that may be a thing. */
    follow(patch: Patch): TrackState {
      const track = nearest(patch);
      if (!track) {
        const fresh = begin(patch);
        return fresh ? judge(fresh) : 'too-short';
      }
      track.path += Math.hypot(patch.x - track.x, patch.y - track.y);
      place(track, patch);
      return judge(track);
    },
    /** After the patches of a frame: forgets what is gone. */
    endFrame(): void {
      clutter *= CLUTTER_FADES;
      for (const track of tracks) {
        if (!track.used || track.seen) continue;
        track.missed++;
        if (track.missed <= (track.confirmed ? MAX_MISSED_CONFIRMED : MAX_MISSED)) continue;
        track.used = false;
        if (!track.confirmed) clutter = Math.min(MAX_CLUTTER, clutter + CLUTTER_OF_ONE);
      }
    },
    clear(): void {
      for (const track of tracks) track.used = false;
    },
  };
}
