import { groupOf } from './coco-labels.ts';
import type { Detection, RelativeBox } from './detector.ts';

/** Two boxes of one class that overlap so much are the same thing. */
const SAME_CLASS_IOU = 0.45;
/** Two boxes of different classes that overlap so much are one thing with two guesses: dog and cat, car and truck.
 *  High, because a rider and a horse are two things whose boxes share a lot. */
const ANY_CLASS_IOU = 0.75;
/** Most boxes one picture can give. */
const MAX_DETECTIONS = 100;

/** Area of the intersection over area of the union, 0 to 1. */
export function intersectionOverUnion(a: RelativeBox, b: RelativeBox): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

const area = (box: RelativeBox) => (box[2] - box[0]) * (box[3] - box[1]);

/** One box per thing: the most confident of those that overlap. A person is never dropped for something else:
 *  a person too many costs a look, a person too few costs the house. */
export function oneBoxPerThing(candidates: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of candidates.toSorted((a, b) => b.confidence - a.confidence)) {
    if (kept.length === MAX_DETECTIONS) break;
    if (!kept.some((other) => isSameThing(candidate, other))) kept.push(candidate);
  }
  return kept;
}

function isSameThing(candidate: Detection, kept: Detection): boolean {
  const overlap = intersectionOverUnion(candidate.box, kept.box);
  if (candidate.label === kept.label) return overlap > SAME_CLASS_IOU;
  return groupOf(candidate.label) !== 'person' && overlap > ANY_CLASS_IOU;
}
