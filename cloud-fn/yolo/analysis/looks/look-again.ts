import type { Detection, Detector, RelativeBox } from '../../detectors/detector.ts';
import { oneBoxPerThing } from '../../detectors/overlap.ts';
import { ClipProblem } from '../../clip-problem.ts';
import { sampleFrames } from '../sampled-frames.ts';
import type { SamplingPlan } from '../strategy.ts';
import {
  factsOf,
  nextOf,
  type Sighting,
  type Track,
  type TrackFacts,
  withoutOtherGuesses,
} from '../tracks.ts';
import type { FullPicture } from './full-picture.ts';
import { lookAt } from './look.ts';
import { squareAround } from './look-plan.ts';
import { createMotionMap } from './motion-map.ts';

/** Tracks that are looked at again, the most promising. */
const MOST_TRACKS = 3;
const KNOWN_ENOUGH = 5;
/** How long before and after the surest sighting, and how often. */
const BEFORE_MS = 1_500;
const AFTER_MS = 2_500;
const RATE_FPS = 6;
/** Who was not seen again for so long is not looked for any longer. */
const GIVEN_UP_MS = 1_000;
/** So many new sightings say enough. */
const ENOUGH = 8;
/** Parts are so many times as large as the box, and have at least so many pixels, in turn: a net sees a thing in one size
 *  and not in another. `drift`: so much larger for each second since it was seen, because it may have gone. */
const PARTS = [
  { times: 2.2, leastPx: 128, drift: 0 },
  { times: 2.6, leastPx: 190, drift: 1.5 },
  { times: 3.4, leastPx: 260, drift: 0 },
] as const;

/** A sighting that only a look in passing would have missed. */
export interface Found {
  readonly track: Track;
  readonly sighting: Sighting;
  /** Valid until the next one is asked for. */
  readonly picture: FullPicture;
}

/** Looks closely at people nobody is sure of, in many pictures around the moment in which they were seen best. Nets see
 *  small or dark people in one picture of four: with two pictures a second a walk past the camera may be seen once.
 *  Costs at most three times 72 looks and the decoding of twelve seconds, and only where a person may be.
 *  @param tracks all of the clip; the found ones are told, in the order of time, and not added */
export async function* lookAgain(
  { file, plan, size, detector }: Clip,
  tracks: readonly Track[],
  tools: { readonly signal: AbortSignal; readonly whitelist?: readonly string[] },
): AsyncGenerator<Found | { readonly atMs: number }> {
  const candidates = promising(tracks);
  for (const [fromMs, toMs] of windowsOf(candidates)) {
    const source = sampleFrames(
      file,
      { ...plan, slotSeconds: 1 / RATE_FPS, keyFramesOnly: false, window: { fromMs, toMs } },
      size,
      tools,
    );
    const motionMap = createMotionMap();
    try {
      for await (const { picture, atMs } of source.frames) {
        const { movedIn } = motionMap.next(picture);
        const active = candidates.filter((candidate) => isPromising(candidate, atMs));
        if (active.length === 0) continue;
        yield { atMs };
        for (const candidate of active) {
          const near = nearest(candidate.known, atMs);
          if (near.atMs === atMs) continue;
          const seen: Detection[] = [];
          for (const part of PARTS)
            seen.push(...(await lookAt(detector, picture, { region: partFor(near, atMs, part, size) })));
          const people = seen.filter(({ label }) => label === 'person');
          const detection = nextOf(near, oneBoxPerThing(people), atMs);
          if (!detection) continue;
          const sighting = { atMs, detection, moved: movedIn(detection.box) };
          candidate.known.push(sighting);
          yield { track: candidate.track, sighting, picture };
        }
      }
    } catch (error) {
      // What cannot be decoded here was told by the pass over the whole clip.
      if (!(error instanceof ClipProblem && error.code === 'clip.undecodable')) throw error;
    }
  }
}

interface Clip {
  readonly file: string;
  readonly plan: SamplingPlan;
  readonly size: { readonly width: number; readonly height: number };
  readonly detector: Detector;
}

interface Candidate {
  readonly track: Track;
  readonly bestMs: number;
  readonly known: Sighting[];
  /** How many were known at first. */
  readonly before: number;
}

/** What moves is more likely somebody than what hangs there. */
function promising(tracks: readonly Track[]): Candidate[] {
  return withoutOtherGuesses(tracks)
    .map((track) => ({ track, facts: factsOf(track) }))
    .filter(({ track, facts }) => facts.group === 'person' && isWorthIt(track, facts))
    .map(({ track, facts }) => ({ track, worth: facts.confidenceMax * (1 + facts.movedShare) }))
    .toSorted((a, b) => b.worth - a.worth)
    .slice(0, MOST_TRACKS)
    .map(({ track }) => {
      const own = track.sightings.filter(({ detection }) => detection.label === 'person');
      const best = own.reduce((a, b) => (b.detection.confidence > a.detection.confidence ? b : a));
      return { track, bestMs: best.atMs, known: [...own], before: own.length };
    });
}

/** One sighting that counts, or two weak ones where something moves; of what was seen often nothing new is learnt. */
const isWorthIt = ({ sightings }: Track, { frames, movedShare }: TrackFacts): boolean =>
  (frames > 0 && frames < KNOWN_ENOUGH) || (sightings.length >= 2 && movedShare >= 0.5);

const isPromising = ({ bestMs, known, before }: Candidate, atMs: number): boolean =>
  atMs >= bestMs - BEFORE_MS &&
  atMs <= bestMs + AFTER_MS &&
  known.length < before + ENOUGH &&
  Math.max(bestMs, ...known.map((one) => one.atMs)) + GIVEN_UP_MS >= atMs;

/** Stretches of the clip around the candidates, those that overlap joined, in the order of time. */
function windowsOf(candidates: readonly Candidate[]): [fromMs: number, toMs: number][] {
  const joined: [number, number][] = [];
  for (const { bestMs } of candidates.toSorted((a, b) => a.bestMs - b.bestMs)) {
    const [fromMs, toMs] = [Math.max(0, bestMs - BEFORE_MS), bestMs + AFTER_MS];
    const last = joined.at(-1);
    if (last && fromMs <= last[1]) last[1] = toMs;
    else joined.push([fromMs, toMs]);
  }
  return joined;
}

const nearest = (known: readonly Sighting[], atMs: number): Sighting =>
  known.reduce((a, b) => (Math.abs(b.atMs - atMs) < Math.abs(a.atMs - atMs) ? b : a));

function partFor(
  { atMs: seenMs, detection: { box } }: Sighting,
  atMs: number,
  { times, leastPx, drift }: (typeof PARTS)[number],
  size: { readonly width: number; readonly height: number },
): RelativeBox {
  const longer = Math.max((box[2] - box[0]) * size.width, (box[3] - box[1]) * size.height);
  const gone = (drift * Math.abs(atMs - seenMs)) / 1000;
  return squareAround(box, Math.max(leastPx, (times + gone) * longer), size);
}
