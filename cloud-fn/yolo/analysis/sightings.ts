import { type AnalysisDetails, BOXES_MAX, TRACKS_MAX } from '@dachawatch/contracts';
import { groupOf, importance } from '../detectors/coco-labels.ts';
import { type Detection, isCandidate, type RelativeBox } from '../detectors/detector.ts';
import type { Opinion } from './second-opinion.ts';
import {
  createTracks,
  factsOf,
  type Reported,
  type Track,
  type TrackFacts,
  withoutOtherGuesses,
} from './tracks.ts';

/** A track of one sighting only counts when the detector is so sure. False hits last a frame, things that are
 *  there are seen again half a second later. */
const SURE = 0.6;
/** Otherwise it has to be seen in so many analysed frames. */
const STEADY_FRAMES = 2;
/** Of a vehicle that was there before and after: it may be found so much later and be lost so much earlier, and wobbles
 *  by so much of its size. */
const EDGE_MS = 2_500;
const WOBBLE = 0.3;

export interface BestFrame {
  readonly atMs: number;
  /** Everything reported that is in that frame, the most important first. */
  readonly detections: readonly Detection[];
}

/** Collects what the frames of a clip show, as tracks.
 *  A track is reported when it is in two analysed frames, or in one with a confidence of 0.6; when only one frame
 *  was analysed there is no second one to wait for. What it means (a person at the house, nothing at all) is
 *  decided by the orchestration, not here. */
export function createSightings() {
  const tracks = createTracks();
  const times: number[] = [];

  /** @param movedIn whether something moved in a box since the frame before
   *  @returns the track of each detection */
  function add(
    atMs: number,
    detections: readonly Detection[],
    movedIn: (box: RelativeBox) => boolean = () => true,
  ): readonly (Track | undefined)[] {
    times.push(atMs);
    return tracks.add(atMs, detections, movedIn);
  }

  /** A picture that was looked at once more. */
  function addTime(atMs: number): void {
    if (!times.includes(atMs)) times.push(atMs);
  }

  /** The most important first. */
  function reported(): Reported[] {
    const needed = Math.min(STEADY_FRAMES, times.length);
    return withoutOtherGuesses(tracks.all())
      .map((track) => ({ track, facts: factsOf(track) }))
      .filter(({ facts }) => facts.frames >= needed || facts.confidenceMax >= SURE)
      .toSorted(
        ({ facts: a }, { facts: b }) =>
          importance(a.label) - importance(b.label) || b.confidenceMax - a.confidenceMax,
      );
  }

  /** The frame that shows the most important track best, one that was not doubted before one that was; undefined when
   *  nothing is reported. */
  function bestFrame(opinions: ReadonlyMap<Track, Opinion> = new Map()): BestFrame | undefined {
    const known = reported();
    const first = known.find(({ track }) => opinions.get(track)?.agreed !== 0) ?? known[0];
    if (!first) return undefined;
    const own = first.track.sightings.filter(
      ({ detection }) => groupOf(detection.label) === first.facts.group,
    );
    const { atMs } = own.reduce((a, b) => (b.detection.confidence > a.detection.confidence ? b : a));
    const detections = known.flatMap(({ track, facts }) =>
      track.sightings
        .filter((sighting) => sighting.atMs === atMs)
        .map(({ detection }) => ({ ...detection, label: facts.label })),
    );
    return { atMs, detections };
  }

  function summary(opinions: ReadonlyMap<Track, Opinion> = new Map()): AnalysisDetails['detections'] {
    const best = bestFrame(opinions);
    return [...Map.groupBy(reported(), ({ facts }) => facts.label)].map(([label, group]) => {
      const seen = Map.groupBy(
        group.flatMap(({ track }) => track.sightings.filter(({ detection }) => isCandidate(detection))),
        ({ atMs }) => atMs,
      );
      return {
        label,
        count_max: Math.max(...[...seen.values()].map((sightings) => sightings.length)),
        confidence_max: rounded(Math.max(...group.map(({ facts }) => facts.confidenceMax))),
        first_ms: Math.min(...seen.keys()),
        last_ms: Math.max(...seen.keys()),
        frames: seen.size,
        boxes: (best?.detections ?? [])
          .filter((detection) => detection.label === label)
          .slice(0, BOXES_MAX)
          .map(({ box }) => box.map(rounded) as RelativeBox),
        tracks: group.slice(0, TRACKS_MAX).map(({ track, facts }) => toldOf(facts, opinions.get(track))),
      };
    });
  }

  function toldOf(facts: TrackFacts, opinion: Opinion | undefined) {
    const [startMs, endMs] = [Math.min(...times), Math.max(...times)];
    const stood =
      facts.firstMs - startMs <= EDGE_MS && endMs - facts.lastMs <= EDGE_MS && facts.travelled < WOBBLE;
    return {
      first_ms: facts.firstMs,
      last_ms: facts.lastMs,
      frames: facts.frames,
      confidence_max: rounded(facts.confidenceMax),
      travelled: rounded(Math.min(TRAVELLED_MAX, facts.travelled)),
      stood,
      ...(opinion && { second_opinion: { asked: opinion.asked, agreed: opinion.agreed } }),
    };
  }

  return {
    add,
    addTime,
    insert: tracks.insert,
    reported,
    bestFrame,
    summary,
    tracks: tracks.all,
    analysed: () => times.length,
  };
}

/** As the contract has it. */
const TRAVELLED_MAX = 10_000;

/** Four digits: a tenth of a pixel of a 1000 pixel picture; the rest is noise in the message. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
