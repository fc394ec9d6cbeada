import type { Picture, RelativeBox } from '../detectors/detector.ts';
import type { Seen } from '../analysis/analyse-clip.ts';
import { cutOut, type FullPicture, WHOLE } from '../analysis/looks/full-picture.ts';
import { squareAround } from '../analysis/looks/look-plan.ts';
import { sampleFrames } from '../analysis/sampled-frames.ts';
import type { Sighting, Track } from '../analysis/tracks.ts';

/** A piece of a picture, and what was found in it. */
export interface Crop {
  readonly sighting: Sighting;
  readonly picture: Picture;
  /** Relative to the piece. */
  readonly box: RelativeBox;
}

export interface Crops {
  readonly ofTrack: ReadonlyMap<Track, readonly Crop[]>;
  /** The picture at that time, or the first one when there is none; undefined when nothing can be decoded again. */
  readonly whole: Picture | undefined;
}

/** The longer side of a box is so much of the piece. */
const TIMES_BOX = 1.6;
const NARROWEST_PX = 48;

/** Decodes the clip again, and cuts out what is to be shown: memory holds only that. The same plan gives the same
 *  pictures at the same times.
 *  @param wanted at most so many pieces as fit on a sheet
 *  @throws ClipProblem; the signal's reason */
export async function cutCrops(
  file: string,
  { plan, size }: Pick<Seen, 'plan' | 'size'>,
  wanted: ReadonlyMap<Track, readonly Sighting[]>,
  whole: { readonly atMs: number | undefined; readonly side: number },
  options: { readonly side: number; readonly signal: AbortSignal; readonly whitelist: readonly string[] },
): Promise<Crops> {
  const at = Map.groupBy(
    [...wanted].flatMap(([track, sightings]) => sightings.map((sighting) => ({ track, sighting }))),
    ({ sighting }) => sighting.atMs,
  );
  const ofTrack = new Map<Track, Crop[]>();
  let shown: Picture | undefined;
  const source = sampleFrames(file, plan, size, options);
  for await (const { picture, atMs } of source.frames) {
    if (atMs === whole.atMs || shown === undefined) shown = cutOut(picture, WHOLE, whole.side);
    for (const { track, sighting } of at.get(atMs) ?? []) {
      const known = ofTrack.get(track) ?? [];
      ofTrack.set(track, [...known, cropOf(picture, sighting, options.side)]);
    }
  }
  return { ofTrack, whole: shown };
}

function cropOf(picture: FullPicture, sighting: Sighting, side: number): Crop {
  const { box } = sighting.detection;
  const longer = Math.max((box[2] - box[0]) * picture.width, (box[3] - box[1]) * picture.height);
  const region = squareAround(box, Math.max(NARROWEST_PX, TIMES_BOX * longer), picture);
  return { sighting, picture: cutOut(picture, region, side), box: relativeTo(region, box) };
}

function relativeTo(region: RelativeBox, box: RelativeBox): RelativeBox {
  const width = region[2] - region[0];
  const height = region[3] - region[1];
  return [
    (box[0] - region[0]) / width,
    (box[1] - region[1]) / height,
    (box[2] - region[0]) / width,
    (box[3] - region[1]) / height,
  ];
}

/** Evenly spread over the track, with the surest among them. */
export function spread({ sightings }: Track, count: number): Sighting[] {
  if (sightings.length <= count) return [...sightings];
  const at = (index: number) => Math.round((index * (sightings.length - 1)) / Math.max(1, count - 1));
  const chosen = Array.from({ length: count }, (_, index) => at(index));
  const best = sightings.reduce(
    (found, one, index) =>
      one.detection.confidence > (sightings[found] as Sighting).detection.confidence ? index : found,
    0,
  );
  if (!chosen.includes(best)) {
    const nearest = chosen.reduce((a, b) => (Math.abs(b - best) < Math.abs(a - best) ? b : a));
    chosen[chosen.indexOf(nearest)] = best;
  }
  return chosen.toSorted((a, b) => a - b).map((index) => sightings[index] as Sighting);
}
