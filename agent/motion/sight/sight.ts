import type { FrameSize } from '../frame-size.ts';
import { type Blindness, compare, isNoScene } from './compare.ts';
import { coarseWidth, createSightMeter, type SightMeasures } from './measures.ts';
import { createUsualScene } from './usual.ts';

export const BLIND_SENTENCES: Readonly<Record<Blindness, string>> = {
  covered: 'the picture shows hardly more than an even surface; something may cover the lens',
  dark: 'the picture went dark at once; something may cover the lens, or the light went out',
  blinded: 'the picture is washed out by bright light; something may shine into the lens',
  defocused: 'the picture went out of focus at once; look at the lens and at its focus',
  turned: 'the picture shows another scene than before; the camera may have been turned',
};

export interface Sight {
  /** @param atMs monotonic milliseconds, not before those of the last one */
  look(grey: Uint8Array, atMs: number): void;
  /** Why the scene has not been seen for a minute; undefined: it is seen, as far as is known. */
  blindness(): Blindness | undefined;
}

/** Between two looks; pictures that come sooner are left out. */
const LOOK_MS = 900;
/** Longer without a picture: what was seen before is not of the same seconds. */
const GAP_MS = 30_000;
/** What comes slower is weather, dusk and dawn. */
const AT_ONCE_MS = 12_000;
/** Lasts so long before it is told: a lorry that turns, a hand, a camera that starts its infrared. */
const SURE_MS = 60_000;
/** So long the scene has to be seen before it counts as seen again. */
const CLEAR_MS = 10_000;
/** A camera that looks elsewhere for so long was meant to. */
const NEW_SCENE_MS = 15 * 60_000;

/** Looks at the brightness of so long ago: of less than this share of the usual, it was dusk already. */
const LEVELS = AT_ONCE_MS / 1000;
const STILL_DAY = 0.75;

/** Notices a lens that is covered, blinded or out of focus, and a camera that was turned: the scene as it is now beside
 *  its own slow past. Day and night, weather and dirt come slowly and become the past; so does a light that goes out
 *  at night.
 *  Invariants
 *  1. Only what comes within `AT_ONCE_MS` and lasts for `SURE_MS` is told, and a picture without any scene.
 *  2. While something is told or suspected, the past stays as it was. */
export function createSight(size: FrameSize): Sight {
  const meter = createSightMeter(size);
  const width = coarseWidth(size);
  let lastMs = Number.NEGATIVE_INFINITY;
  const scene = createUsualScene();
  let clearMs = Number.NEGATIVE_INFINITY;
  /** Brightness of the last looks, oldest first. */
  const levels: number[] = [];
  /** Since when the scene has been seen without a break; undefined: it is not. */
  let clearSinceMs: number | undefined;
  /** Something that came at once, since when; undefined: nothing. */
  let suspectSinceMs: number | undefined;
  /** Since when a scene is seen again, but not the one that was; undefined: it is not. */
  let otherSinceMs: number | undefined;
  let told: Blindness | undefined;

  function forget(): void {
    scene.forget();
    suspectSinceMs = undefined;
    otherSinceMs = undefined;
    told = undefined;
  }

  /** It had become darker before. */
  const isDusk = () => (levels[0] as number) < (scene.known()?.level ?? 0) * STILL_DAY;

  /** A scene is seen that is not the usual one. */
  function isNewScene(atMs: number): boolean {
    otherSinceMs ??= atMs;
    return atMs - otherSinceMs >= NEW_SCENE_MS;
  }

  /** The scene is seen, or what hides it came slowly. */
  function seenAs(verdict: 'clear' | 'between', seen: SightMeasures, atMs: number, dtMs: number): void {
    if (verdict === 'between' && (suspectSinceMs !== undefined || told !== undefined)) {
      clearSinceMs = undefined;
      if (isNewScene(atMs)) forget();
      return;
    }
    suspectSinceMs = undefined;
    otherSinceMs = undefined;
    clearSinceMs ??= atMs;
    if (verdict === 'clear') clearMs = atMs;
    if (told !== undefined && atMs - clearSinceMs >= CLEAR_MS) told = undefined;
    if (told === undefined) scene.learn(seen, dtMs);
  }

  function notSeen(why: Blindness, seen: SightMeasures, atMs: number, dtMs: number): void {
    const isNew = suspectSinceMs === undefined && told === undefined;
    const isSlow = atMs - clearMs > AT_ONCE_MS || (why === 'dark' && isDusk());
    if (isNew && isSlow && !isNoScene(seen)) return scene.learn(seen, dtMs);
    clearSinceMs = undefined;
    suspectSinceMs ??= atMs;
    if (atMs - suspectSinceMs >= SURE_MS) told = why;
    if (why !== 'turned') otherSinceMs = undefined;
    else if (isNewScene(atMs)) forget();
  }

  return {
    look: (grey, atMs) => {
      const dtMs = atMs - lastMs;
      if (dtMs < LOOK_MS) return;
      lastMs = atMs;
      if (dtMs > GAP_MS) meter.reset();
      const stepMs = Math.min(dtMs, GAP_MS);
      meter.add(grey, stepMs);
      const seen = meter.measure();
      levels.push(seen.level);
      if (levels.length > LEVELS) levels.shift();
      const usual = scene.known();
      if (!usual) {
        clearMs = atMs;
        return scene.learn(seen, stepMs);
      }
      const verdict = compare(seen, usual, width);
      if (verdict === 'clear' || verdict === 'between') seenAs(verdict, seen, atMs, stepMs);
      else notSeen(verdict, seen, atMs, stepMs);
    },
    blindness: () => told,
  };
}
