import type { RelativeBox } from '../../detectors/detector.ts';
import { WHOLE } from './full-picture.ts';
import type { Motion, Place } from './motion-map.ts';
import type { Strategy } from '../strategy.ts';

/** A look of the detector: the whole picture, or a part of it in more detail. */
export interface Look {
  readonly region: RelativeBox;
}

/** Looks in one picture beyond the whole. */
const MAX_CLOSE = 3;
/** A part that shows things hardly larger than the whole picture does is not looked at. */
const LEAST_GAIN = 1.4;
/** How wide a part is, for what moved there: a person's arm moves, and the person has to fit. */
const TIMES_PLACE = 2.5;
/** Narrowest part: smaller ones show pixels, not people. */
const NARROWEST_PX = 128;
/** In turn with that, and first: a share of the picture's height, because of a person often only a part moves. */
const WIDER_SHARE = 0.28;
/** Looks that may be taken before any were saved. */
const CREDIT = 3;
/** Looks at what may be a person that are not counted. */
const GIFTS = 16;
/** A place is remembered as barren in a grid of so many fields across. */
const FIELDS = 12;
/** After so many whole pictures that showed nothing they are looked at half as often: who comes, moves. */
const EMPTY_WHOLES = 3;
/** Failures that are counted, and pictures in a row. */
const MOST_BARREN = 4;
const LONG = 5;

/** How often the whole picture is looked at, and what a picture adds to what may be spent. */
const PACE = {
  'fixed-rate': { wholeEvery: 2, looks: 1 },
  'every-frame': { wholeEvery: 1, looks: 1.25 },
  'key-frames': { wholeEvery: 1, looks: 2 },
} as const satisfies Record<Strategy, { wholeEvery: number; looks: number }>;

/** Share of each side that a part of a still picture has: four of them overlap so far that one shows whole who stands
 *  between two. */
const STILL_PART = 0.6;
/** What is looked at when there is only one picture: nothing says where something moved, so the whole, and closely
 *  everywhere. */
export const LOOKS_AT_STILL: readonly Look[] = [
  { region: WHOLE },
  ...[0, 1 - STILL_PART].flatMap((top) =>
    [0, 1 - STILL_PART].map((left): Look => ({ region: [left, top, left + STILL_PART, top + STILL_PART] })),
  ),
];

/** Says what the detector looks at in each picture: where something moved first, in the camera's own pixels, and the
 *  whole picture every other time.
 *  Invariant: after n pictures no more than `looks * n + CREDIT + GIFTS` looks were taken; a clip in which nothing moves
 *  costs one for every other picture. */
export function createLookPlan(
  strategy: Strategy,
  { width, height }: { readonly width: number; readonly height: number },
) {
  const { wholeEvery, looks } = PACE[strategy];
  const barren = new Map<number, number>();
  /** Pictures in a row in which something moved in a field. */
  let lately: ReadonlyMap<number, number> = new Map();
  /** Pictures since the last whole one that was looked at; whole ones in a row that showed nothing. */
  let sinceWhole = Number.POSITIVE_INFINITY;
  let emptyWholes = 0;
  let purse: number = CREDIT;
  /** Looks at each field. */
  const looked = new Map<number, number>();
  let gifts: number = GIFTS;

  /** @param follow boxes of people nobody is sure of yet */
  function next(motion: Motion, follow: readonly RelativeBox[]): Look[] {
    purse += looks;
    const isWhole = sinceWhole >= (emptyWholes >= EMPTY_WHOLES ? 2 * wholeEvery : wholeEvery);
    sinceWhole++;
    const parts = [...follow, ...promising(motion.places)].map((box) => part(box));
    const close = parts.filter((region) => region !== undefined);
    // What is too large for a part is seen in the whole.
    const isTooLarge = motion.everywhere || close.length < parts.length;
    const chosen: Look[] = [];
    if (isWhole || (isTooLarge && purse >= 1)) chosen.push({ region: WHOLE });
    if (chosen.length > 0) sinceWhole = 1;
    for (const region of close) {
      if (chosen.length > MAX_CLOSE || purse + Math.min(follow.length, gifts) - chosen.length < 1) break;
      if (!chosen.some((look) => look.region !== WHOLE && covers(look.region, region)))
        chosen.push({ region });
    }
    // Closer looks at what may be a person are extra: only clips with one have them.
    const extra = Math.min(follow.length, gifts, chosen.length);
    gifts -= extra;
    purse -= chosen.length - extra;
    return chosen;
  }

  /** What a look found: somebody, or nobody. */
  function found(look: Look, somebody: boolean): void {
    if (look.region === WHOLE) {
      emptyWholes = somebody ? 0 : emptyWholes + 1;
      return;
    }
    const field = fieldOf(look.region);
    looked.set(field, (looked.get(field) ?? 0) + 1);
    if (somebody) barren.delete(field);
    else barren.set(field, Math.min(MOST_BARREN, (barren.get(field) ?? 0) + 1));
  }

  /** The most promising first. What goes on moving in one place is more than an insect or a drop; where looking was in
   *  vain comes later, so that a bush in the wind does not use up what a person needs. */
  function promising(places: readonly Place[]): RelativeBox[] {
    const before = lately;
    lately = new Map(places.map(({ box }) => [fieldOf(box), (before.get(fieldOf(box)) ?? 0) + 1]));
    const worth = ({ box, share }: Place) =>
      Math.sqrt(share / (1 + (barren.get(fieldOf(box)) ?? 0))) *
      Math.min(LONG, lately.get(fieldOf(box)) ?? 1);
    return places.toSorted((a, b) => worth(b) - worth(a)).map(({ box }) => box);
  }

  /** A square around the box, inside the picture; undefined when it would show hardly more than the whole. */
  function part(box: RelativeBox): RelativeBox | undefined {
    const longer = Math.max((box[2] - box[0]) * width, (box[3] - box[1]) * height);
    const isWide = (looked.get(fieldOf(box)) ?? 0) % 2 === 0;
    const least = isWide ? Math.max(NARROWEST_PX, WIDER_SHARE * height) : NARROWEST_PX;
    const side = Math.max(least, longer * TIMES_PLACE);
    if (side * LEAST_GAIN > Math.max(width, height)) return undefined;
    return squareAround(box, side, { width, height });
  }

  return { next, found };
}

/** A square of `side` pixels with the box in its middle, moved into the picture and cut to it. */
export function squareAround(
  box: RelativeBox,
  side: number,
  { width, height }: { readonly width: number; readonly height: number },
): RelativeBox {
  const span = (low: number, high: number, length: number): [number, number] => {
    const size = Math.min(1, side / length);
    const from = Math.max(0, Math.min(1 - size, (low + high) / 2 - size / 2));
    return [from, from + size];
  };
  const [left, right] = span(box[0], box[2], width);
  const [top, bottom] = span(box[1], box[3], height);
  return [left, top, right, bottom];
}

function covers(outer: RelativeBox, inner: RelativeBox): boolean {
  const x = (inner[0] + inner[2]) / 2;
  const y = (inner[1] + inner[3]) / 2;
  const marginX = (outer[2] - outer[0]) / 4;
  const marginY = (outer[3] - outer[1]) / 4;
  return x > outer[0] + marginX && x < outer[2] - marginX && y > outer[1] + marginY && y < outer[3] - marginY;
}

const fieldOf = (box: RelativeBox): number =>
  Math.floor(((box[0] + box[2]) / 2) * FIELDS) * FIELDS + Math.floor(((box[1] + box[3]) / 2) * FIELDS);
