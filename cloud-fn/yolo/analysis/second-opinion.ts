import { groupOf } from '../detectors/coco-labels.ts';
import type { Detection, Detector, Picture, RelativeBox, SecondDetector } from '../detectors/detector.ts';
import { cutOut, type FullPicture } from './looks/full-picture.ts';
import { squareAround } from './looks/look-plan.ts';
import type { Reported, Track, TrackFacts } from './tracks.ts';

/** Pictures of one track that are shown to the second detector. */
const PICTURES = 3;
/** So far apart, because neighbours say the same. */
const APART_MS = 1_000;
/** Tracks of which pictures are kept: bounds memory to 30 MB. */
const MAX_TRACKS = 12;
/** The longer side of the box is so much of the picture's. */
const TIMES_BOX = 2.5;
const NARROWEST_PX = 96;

/** Tracks that are asked about, until one is agreed on: then there is a person. */
const MAX_ASKED = 4;
/** Below it no verdict counts a person. */
const LEAST_CONFIDENCE = 0.4;
/** A person seen so surely, so often and on the way is not asked about. */
const SURE_CONFIDENCE = 0.8;
const SURE_FRAMES = 3;
const SURE_TRAVELLED = 0.3;

export interface Opinion {
  /** Pictures shown, and those in which the second detector saw a person there. */
  readonly asked: number;
  readonly agreed: number;
}

/** An opinion, with the pictures it is about. */
export interface Asked extends Opinion {
  readonly pictures: readonly (Kept & { readonly agreed: boolean })[];
}

interface Kept {
  readonly atMs: number;
  readonly confidence: number;
  readonly picture: Picture;
  /** The person's box in it. */
  readonly box: RelativeBox;
}

/** Keeps the best pictures of people and shows them to a detector of another family. Two different nets seldom make the
 *  same mistake.
 *  @param second undefined: there is none, and nothing is kept or asked */
export function createSecondOpinion(second: SecondDetector | undefined) {
  const kept = new Map<Track, Kept[]>();

  /** Keeps a picture of the person when it is one of the track's best. */
  function keep(track: Track, picture: FullPicture, { box, confidence }: Detection, atMs: number): void {
    if (!second) return;
    const known = kept.get(track) ?? [];
    const near = known.find((one) => Math.abs(one.atMs - atMs) < APART_MS);
    const worst = near ?? (known.length < PICTURES ? undefined : known.toSorted(byConfidence).at(-1));
    if (worst && worst.confidence >= confidence) return;
    if (!kept.has(track) && kept.size >= MAX_TRACKS) {
      const [weakest, its] = [...kept].toSorted(([, a], [, b]) => best(a) - best(b))[0] as [Track, Kept[]];
      if (best(its) >= confidence) return;
      kept.delete(weakest);
    }
    const region = squareAround(
      box,
      Math.max(
        NARROWEST_PX,
        TIMES_BOX * Math.max((box[2] - box[0]) * picture.width, (box[3] - box[1]) * picture.height),
      ),
      picture,
    );
    // Every other one mirrored: what is a person is one from both sides.
    const mirrored = known.length % 2 === 1;
    const relative = within(region, box);
    const one: Kept = {
      atMs,
      confidence,
      picture: cutOut(picture, region, second.inputSize, { mirrored }),
      box: mirrored ? [1 - relative[2], relative[1], 1 - relative[0], relative[3]] : relative,
    };
    kept.set(track, [...known.filter((other) => other !== worst), one]);
  }

  /** What the second detector says about the people of a clip nobody is sure of. */
  async function about(reported: readonly Reported[]) {
    const opinions = new Map<Track, Asked>();
    const people = reported.filter(
      ({ track, facts }) =>
        facts.group === 'person' && facts.confidenceMax >= LEAST_CONFIDENCE && kept.has(track),
    );
    if (!second || people.length === 0 || people.some(({ facts }) => isSure(facts)))
      return { opinions, model: undefined };
    const detector = await second.open();
    for (const { track } of people.slice(0, MAX_ASKED)) {
      const opinion = await ask(kept.get(track) ?? [], detector);
      opinions.set(track, opinion);
      if (opinion.agreed * 2 >= opinion.asked) break;
    }
    return { opinions, model: detector.model };
  }

  return { keep, about };
}

export const isSure = (facts: TrackFacts): boolean =>
  facts.confidenceMax >= SURE_CONFIDENCE && facts.frames >= SURE_FRAMES && facts.travelled >= SURE_TRAVELLED;

/** Ends as soon as more pictures would not change which half agrees. */
async function ask(pictures: readonly Kept[], detector: Detector): Promise<Asked> {
  let [asked, agreed] = [0, 0];
  const shown: Asked['pictures'][number][] = [];
  for (const one of pictures.toSorted(byConfidence)) {
    const found = await detector.detect(one.picture);
    asked++;
    const same = found.some(({ label, box }) => groupOf(label) === 'person' && sharesPlace(box, one.box));
    if (same) agreed++;
    shown.push({ ...one, agreed: same });
    const left = pictures.length - asked;
    if (agreed >= asked - agreed + left || (agreed + left) * 2 < asked + left) break;
  }
  return { asked, agreed, pictures: shown };
}

const byConfidence = (a: Kept, b: Kept) => b.confidence - a.confidence;
const best = (pictures: readonly Kept[]) => Math.max(...pictures.map(({ confidence }) => confidence));

function within(region: RelativeBox, box: RelativeBox): RelativeBox {
  const width = region[2] - region[0];
  const height = region[3] - region[1];
  return [
    (box[0] - region[0]) / width,
    (box[1] - region[1]) / height,
    (box[2] - region[0]) / width,
    (box[3] - region[1]) / height,
  ];
}

/** The middle of each lies in the other: nets draw the legs in or leave them out. */
function sharesPlace(a: RelativeBox, b: RelativeBox): boolean {
  const holds = (outer: RelativeBox, inner: RelativeBox) => {
    const x = (inner[0] + inner[2]) / 2;
    const y = (inner[1] + inner[3]) / 2;
    return x >= outer[0] && x <= outer[2] && y >= outer[1] && y <= outer[3];
  };
  return holds(a, b) && holds(b, a);
}
