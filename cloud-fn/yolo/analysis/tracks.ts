import { groupOf, type LabelGroup } from '../detectors/coco-labels.ts';
import { type Detection, isCandidate, type RelativeBox } from '../detectors/detector.ts';
import { intersectionOverUnion } from '../detectors/overlap.ts';

/** One thing, over the pictures in which it was found. */
export interface Track {
  /** In the order of time; `moved`: pictures differ there from the one before. People seen so weakly that they do not
   *  count (`isCandidate`) are among them: they say where a thing went. */
  readonly sightings: readonly Sighting[];
}

export interface Sighting {
  readonly atMs: number;
  readonly detection: Detection;
  readonly moved: boolean;
}

/** A thing that was not found for so long is another one when it is found again. */
const LOST_MS = 4_000;
/** How far a thing gets, in heights of its box: at once (the detector's own wobble), and in a second. A person runs two
 *  heights a second past a camera. */
const REACH = 0.6;
const REACH_PER_S = 2;
/** Boxes of one thing seldom differ more in size from one picture to the next. */
const SIZE_RATIO = 2;
/** Boxes that overlap so much (intersection over union) may be one thing whatever their labels and sizes. */
const SAME_PLACE = 0.4;
/** Added where the label is of another group: a dog beside its owner keeps its own track. */
const OTHER_GROUP_COST = 0.5;
/** Most tracks that are kept of a clip. What comes after them is not tracked. */
export const TRACKS_KEPT = 400;

/** Joins detections to tracks: those that lie nearest for their size and the time between, one of each picture.
 *  A detector may waver between labels of one thing; then its track has both, when the boxes overlap. */
export function createTracks() {
  const tracks: { sightings: Sighting[] }[] = [];

  /** @returns the track of each detection, in their order; undefined when there are too many */
  function add(
    atMs: number,
    detections: readonly Detection[],
    movedIn: (box: RelativeBox) => boolean,
  ): (Track | undefined)[] {
    const pairs = detections.flatMap((detection, index) =>
      tracks.flatMap((track) => {
        const last = track.sightings.at(-1) as Sighting;
        const cost = costOf(last, detection, atMs);
        return cost === undefined ? [] : [{ index, track, cost }];
      }),
    );
    const found: (Track | undefined)[] = detections.map(() => undefined);
    const taken = new Set<Track>();
    const join = (track: { sightings: Sighting[] }, index: number) => {
      const detection = detections[index] as Detection;
      track.sightings.push({ atMs, detection, moved: movedIn(detection.box) });
      found[index] = track;
      taken.add(track);
    };
    for (const { index, track } of pairs.toSorted((a, b) => a.cost - b.cost))
      if (found[index] === undefined && !taken.has(track)) join(track, index);
    for (const index of detections.keys()) {
      if (found[index] !== undefined || !hasRoom()) continue;
      const track = { sightings: [] };
      tracks.push(track);
      join(track, index);
    }
    return found;
  }

  /** A track of weak sightings alone makes room for another. */
  function hasRoom(): boolean {
    if (tracks.length < TRACKS_KEPT) return true;
    const weak = tracks.findIndex(({ sightings }) =>
      sightings.every(({ detection }) => !isCandidate(detection)),
    );
    if (weak >= 0) tracks.splice(weak, 1);
    return weak >= 0;
  }

  /** Puts a sighting into a track that was found at another time. */
  function insert(track: Track, sighting: Sighting): void {
    const known = tracks.find((one) => one === track);
    known?.sightings.push(sighting);
    known?.sightings.sort((a, b) => a.atMs - b.atMs);
  }

  return { add, insert, all: (): readonly Track[] => tracks };
}

/** The detection that may be the same thing as one that was seen a little earlier or later; undefined when none may. */
export function nextOf(
  seen: Sighting,
  detections: readonly Detection[],
  atMs: number,
): Detection | undefined {
  return detections
    .flatMap((detection) => {
      const cost = costOf(seen, detection, atMs);
      return cost === undefined ? [] : [{ detection, cost }];
    })
    .toSorted((a, b) => a.cost - b.cost)[0]?.detection;
}

function costOf(last: Sighting, detection: Detection, atMs: number): number | undefined {
  const elapsedMs = Math.abs(atMs - last.atMs);
  if (elapsedMs > LOST_MS) return undefined;
  const [before, now] = [last.detection, detection];
  const [groupBefore, groupNow] = [groupOf(before.label), groupOf(now.label)];
  const size = Math.max(sizeOf(before.box), sizeOf(now.box));
  const ratio = size / Math.min(sizeOf(before.box), sizeOf(now.box));
  const overlap = intersectionOverUnion(before.box, now.box);
  if (ratio > SIZE_RATIO && overlap < SAME_PLACE) return undefined;
  if (groupBefore !== groupNow && overlap < SAME_PLACE) return undefined;
  const distance = Math.hypot(centreX(before.box) - centreX(now.box), centreY(before.box) - centreY(now.box));
  const reach = (REACH + (REACH_PER_S * elapsedMs) / 1000) * size;
  if (distance > reach) return undefined;
  return distance / reach + (1 - overlap) * 0.2 + (groupBefore === groupNow ? 0 : OTHER_GROUP_COST);
}

const sizeOf = (box: RelativeBox) => Math.max(box[2] - box[0], box[3] - box[1]);
const centreX = (box: RelativeBox) => (box[0] + box[2]) / 2;
const centreY = (box: RelativeBox) => (box[1] + box[3]) / 2;

/** What a track says about the thing. */
export interface TrackFacts {
  readonly group: LabelGroup;
  /** Most likely COCO name. */
  readonly label: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly frames: number;
  readonly confidenceMax: number;
  /** How far it got from where it began, in its own sizes; single boxes that jump do not count. */
  readonly travelled: number;
  /** Share of its sightings in which something moved there. */
  readonly movedShare: number;
}

/** A track that is reported, and what follows from it. */
export interface Reported {
  readonly track: Track;
  readonly facts: TrackFacts;
}

export function factsOf({ sightings }: Track): TrackFacts {
  const votes = new Map<string, number>();
  for (const { detection } of sightings)
    votes.set(detection.label, (votes.get(detection.label) ?? 0) + detection.confidence);
  const ofGroup = Map.groupBy(votes, ([label]) => groupOf(label) ?? 'vehicle');
  const [group] = best(
    [...ofGroup].map(([name, labels]) => [name, labels.reduce((sum, [, vote]) => sum + vote, 0)] as const),
  );
  const [label] = best(ofGroup.get(group) ?? []);
  const ofThis = sightings.filter(({ detection }) => groupOf(detection.label) === group);
  const counted = ofThis.filter(({ detection }) => isCandidate(detection));
  const same = counted.length > 0 ? counted : ofThis;
  return {
    group,
    label,
    firstMs: (same[0] as Sighting).atMs,
    lastMs: (same.at(-1) as Sighting).atMs,
    frames: counted.length,
    confidenceMax: Math.max(...same.map(({ detection }) => detection.confidence)),
    travelled: travelled(sightings),
    movedShare: sightings.filter(({ moved }) => moved).length / sightings.length,
  };
}

const best = <T>(entries: readonly (readonly [T, number])[]): readonly [T, number] =>
  entries.reduce((a, b) => (b[1] > a[1] ? b : a));

function travelled(sightings: readonly Sighting[]): number {
  const points = sightings.map(({ detection: { box } }) => [centreX(box), centreY(box)] as const);
  const typical = middle(sightings.map(({ detection }) => sizeOf(detection.box)));
  // Of three in a row the middle one: a box that jumped away for one picture is not a way.
  const smooth = points.map((_, at) => {
    const near = points.slice(Math.max(0, at - 1), at + 2);
    return [middle(near.map(([x]) => x)), middle(near.map(([, y]) => y))] as const;
  });
  const [x0, y0] = smooth[0] as readonly [number, number];
  return Math.max(...smooth.map(([x, y]) => Math.hypot(x - x0, y - y0))) / typical;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** A track that is another guess at a thing which the detector more often calls something else: parts of a cow that
 *  look like a motorcycle, or like a person. A person on a motorcycle or in a car is somebody. */
export function withoutOtherGuesses(tracks: readonly Track[]): Track[] {
  const known = tracks.map((track) => ({ track, facts: factsOf(track), weight: weightOf(track) }));
  return known
    .filter(
      ({ track, facts, weight }) =>
        !known.some(
          (other) =>
            other.facts.group !== facts.group &&
            (other.facts.group === 'animal' ||
              (other.facts.group === 'vehicle' && facts.group === 'animal')) &&
            other.weight > weight &&
            liesOn(track, other.track),
        ),
    )
    .map(({ track }) => track);
}

const weightOf = ({ sightings }: Track) =>
  sightings.reduce((sum, { detection }) => sum + detection.confidence, 0);

/** Pictures of two looks may be so far apart. */
const TOGETHER_MS = 1_200;

/** Most of its boxes lie where the other's do at about that time. */
function liesOn(track: Track, other: Track): boolean {
  const on = track.sightings.filter(({ atMs, detection }) =>
    other.sightings.some(
      (one) =>
        Math.abs(one.atMs - atMs) <= TOGETHER_MS && shareOf(detection.box, one.detection.box) > SAME_PLACE,
    ),
  );
  return on.length * 2 >= track.sightings.length;
}

/** How much of the smaller box the two have in common: a part may be taken for something of its own. */
function shareOf(a: RelativeBox, b: RelativeBox): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: RelativeBox) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / Math.min(area(a), area(b));
}
