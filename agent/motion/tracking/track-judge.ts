import type { Thresholds } from '../sensitivity.ts';
import { doubt, type Moment, spanOf, type Track } from './track.ts';

/** `confirmed`: goes somewhere. `present`: did, and now stands there and stirs. */
export type TrackState = 'confirmed' | 'present' | 'too-short' | 'in-place' | 'lighting';

/** Net way divided by the way gone: what sways goes to and fro. */
const MIN_STRAIGHT = 0.6;
/** Where much comes and goes chance makes ways, too, but crooked ones: so much more for each that clutter asks. */
const STRAIGHTER = 0.04;
/** One leap is no way where many things are mistaken for each other. */
const LEAPS_FROM = 2;
const LONGEST_STEP = 0.4;
/** Where much comes and goes, a thing must be seen in nearly every picture, up to so many. */
const MOST_PLACES = 7;
/** Pictures do not come to the millisecond. */
const NEARLY = 0.9;
/** Farther in one step than this share of its own size: a bird, an insect or a reflection, unless it goes on. */
const FLIT = 0.75;
/** What enters at the border, where nothing sways: how large it must be by the least size, and how much it must have
 *  grown since it was first seen. */
const ENTERS_SIZE = 2;
const ENTERS_GROWTH = 1.25;
const ENTERS_SWAY = 0.05;
/** What emerges, where nothing sways: how often and how long it must have grown, to which size and by how much. */
const EMERGES_LOOKS = 3;
const EMERGES_AGE = 1.35;
const EMERGES_SIZE = 3;
const EMERGES_GROWTH = 2;
const EMERGES_SWAY = 0.1;
/** What was confirmed stays so without a stir for this long, and longer once it has shown that it lives. */
const HOLD_MS = 400;
const HOLD_LIVELY_MS = 4_000;
const STANDS_MS = 1_500;
/** In a place or at a time where much moves, what stops going is let go after this. */
const LINGER_MS = 3_000;
const LINGER_SWAY = 0.3;
const LINGER_CLUTTER_MS = 1_000;
const LINGER_ASKS = 1.5;
/** Slow work on one spot: a compact thing that stirs for this long where nothing moved before, and whose middle moves
 *  little (pixels in two seconds). */
const WORK_PATH = 30;
const WORK_MS = 3_000;
const WORK_CELLS = 3;
const WORK_SWAY = 0.25;
/** Until then nobody knows which places always move: a clock in the picture works on one spot, too. */
const KNOWS_MS = 8_000;
/** Where the light changes, leftovers of it flicker on one spot. */
const SETTLED_MS = 2_000;
/** In rare pictures: how much longer a way must be, and how much a small thing may change between two of them. */
const RARE_WAY = 1.5;
const RARE_SWAY = 0.1;
const RARE_ASKS = 1.3;
const ALIKE = 2.2;
/** So little clutter that what comes is news; it takes a quiet picture after the start. */
const CALM = 2.5;
/** More regions at once are no visitors but a gust, or light that nothing explains. */
const MOST_NEWS = 10;
/** Where things come to nothing as often as this, only a way counts. */
const IDLE = 0.3;

/** Tells what goes somewhere from what only sways, flickers or grows. */
// oxlint-disable-next-line max-lines-per-function -- a list of seven small rules over the same four thresholds: read one by one, each is shorter than its figures
export function createTrackJudge({ minAgeMs, minTravel, minPixels, bigPixels }: Thresholds) {
  function goes(track: Track, moment: Moment): boolean {
    const { asks, rare, nowMs } = moment;
    if (rare && track.pixels < bigPixels / 2 && !alike(track, asks)) return false;
    if (track.oscillation.isOn(nowMs)) return false;
    const { trajectory } = track;
    const flits = !rare && trajectory.path() > FLIT * spanOf(track) * (trajectory.count() - 1);
    if (!rare && asks === 1 && ((!flits && enters(track)) || emerges(track, nowMs))) return true;
    const enough = rare ? 2 : Math.min(MOST_PLACES, Math.round(3 * asks));
    const ageMs = minAgeMs * Math.max(Math.min(asks, 3), flits ? 2 : 1);
    if (trajectory.count() < enough || trajectory.ageMs() < NEARLY * ageMs) return false;
    const net = trajectory.net();
    if (asks > LEAPS_FROM && trajectory.longest() > LONGEST_STEP * net) return false;
    const straight = MIN_STRAIGHT + STRAIGHTER * (asks - 1);
    return (
      net >= minTravel * asks * (1 + 2 * Math.max(track.idle, track.sway)) * (rare ? RARE_WAY : 1) &&
      net >= straight * trajectory.path()
    );
  }

  /** Two rare pictures show the same small thing, and hardly anything else: as large as before, where nothing sways.
   *  What came in at the border may have grown. */
  function alike({ pixels, pixelsBefore, camePixels, sightings, sway, idle }: Track, asks: number): boolean {
    const came = camePixels > 0 && sightings === 2;
    const grown = pixels / Math.max(1, pixelsBefore);
    return (
      asks < RARE_ASKS && idle < IDLE && sway < RARE_SWAY && grown > 1 / ALIKE && (grown < ALIKE || came)
    );
  }

  /** Comes in from outside, and more of it with every look: two are enough. */
  function enters({ camePixels, pixels, sway, idle, trajectory }: Track): boolean {
    return (
      camePixels > 0 &&
      pixels >= Math.max(ENTERS_SIZE * minPixels, ENTERS_GROWTH * camePixels) &&
      sway < ENTERS_SWAY &&
      idle < IDLE &&
      trajectory.ageMs() >= (NEARLY * minAgeMs) / 2 &&
      trajectory.net() >= minTravel
    );
  }

  /** More of it with every look: out from behind something, out of a door, straight towards the camera; a car that
   *  pulls away uncovers what is behind it. What sways comes back, and light has no outline. */
  function emerges({ grew, growsMs, growsPixels, pixels, sway, idle }: Track, nowMs: number): boolean {
    return (
      grew >= EMERGES_LOOKS &&
      nowMs - growsMs >= EMERGES_AGE * minAgeMs &&
      pixels >= Math.max(EMERGES_SIZE * minPixels, EMERGES_GROWTH * growsPixels) &&
      sway < EMERGES_SWAY &&
      idle < IDLE
    );
  }

  /** News in a calm rare picture, where the next look may be too late: the calmer, the smaller may it be. */
  function comes({ pixels, sway, idle }: Track, { rare, regions, clutter }: Moment): boolean {
    return (
      rare &&
      regions <= MOST_NEWS &&
      clutter < CALM &&
      pixels >= Math.max(minPixels, (bigPixels * clutter) / CALM) &&
      sway < RARE_SWAY &&
      idle < IDLE
    );
  }

  function works(track: Track, { nowMs, asks, clearedMs, lightMs }: Moment): boolean {
    return (
      nowMs - clearedMs >= KNOWS_MS &&
      nowMs - lightMs >= SETTLED_MS &&
      nowMs - track.bornMs >= WORK_MS * asks &&
      track.cells >= WORK_CELLS &&
      track.sightings >= 3 &&
      track.active > 0.6 * track.sightings &&
      track.solid >= 0.4 &&
      track.trajectory.path() <= WORK_PATH &&
      track.sway < WORK_SWAY &&
      track.idle < IDLE
    );
  }

  /** What stopped going: whether it still stands there. */
  function stays(track: Track, { nowMs, elapsedMs, asks }: Moment): boolean {
    const stoodMs = nowMs - track.wentMs;
    if (track.stirMs === nowMs && stoodMs > STANDS_MS) track.livelyMs += elapsedMs;
    const holdMs = Math.max(HOLD_MS, elapsedMs * 0.75) + Math.min(HOLD_LIVELY_MS, track.livelyMs);
    if (nowMs - track.stirMs > holdMs || track.oscillation.isOn(nowMs)) return false;
    if (asks > LINGER_ASKS) return stoodMs <= LINGER_CLUTTER_MS;
    return stoodMs <= LINGER_MS || track.sway <= LINGER_SWAY;
  }

  /** A thing that has just been seen. */
  return function judge(track: Track, moment: Moment): TrackState {
    const { nowMs } = moment;
    const going = goes(track, moment);
    if (track.confirmed && !going) {
      if (stays(track, moment)) return 'present';
      doubt(track, nowMs);
      return 'in-place';
    }
    if (!track.confirmed) {
      const lives = track.stirMs === nowMs && track.active >= Math.min(2, track.sightings);
      if (!lives || !(going || comes(track, moment) || works(track, moment)))
        return nowMs - track.bornMs < minAgeMs ? 'too-short' : 'in-place';
      track.confirmed = true;
      track.counted = true;
    }
    track.wentMs = nowMs;
    track.livelyMs = 0;
    return 'confirmed';
  };
}
