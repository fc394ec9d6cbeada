/** A picture as the detector wants it: packed RGB, rows from the top, no larger than its input. */
export interface Picture {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Left, top, right, bottom, relative to the picture: 0 to 1. */
export type RelativeBox = [number, number, number, number];

export interface Detection {
  readonly label: string;
  /** 0 to 1 */
  readonly confidence: number;
  readonly box: RelativeBox;
}

/** Finds people, animals and vehicles in one picture.
 *  Invariants
 *  1. Only labels of `coco-labels.ts` come out, at most one box per thing, boxes inside the picture.
 *  2. The same picture gives the same detections: a clip analysed twice gives the same answer.
 *  3. One picture at a time: a call while another runs is a bug of the caller. */
export interface Detector {
  /** Weights that were loaded, checked against the manifest. */
  readonly model: { readonly name: string; readonly sha256: string; readonly licence: string };
  /** Runtime the weights run on, for the log. */
  readonly runtime: string;
  /** Side of the square input in pixels. */
  readonly inputSize: number;
  detect(picture: Picture): Promise<Detection[]>;
  close(): Promise<void>;
}

/** A detector of another family, opened when it is first asked: most clips do not need it. */
export interface SecondDetector {
  /** Side of its square input in pixels. */
  readonly inputSize: number;
  /** The same one each time. */
  open(): Promise<Detector>;
  close(): Promise<void>;
}

/** Below this a detection is not even a candidate. What counts as seen is decided over frames (sightings.ts).
 *  Lower for people: a missed one costs more than a frame too many that has to be seen twice. */
export const MIN_CONFIDENCE = 0.35;
export const MIN_CONFIDENCE_PERSON = 0.3;

/** From here on a person is a hint: reason to look closer, and not counted. */
export const HINT_OF_PERSON = 0.15;

export const isCandidate = ({ label, confidence }: Pick<Detection, 'label' | 'confidence'>): boolean =>
  confidence >= (label === 'person' ? MIN_CONFIDENCE_PERSON : MIN_CONFIDENCE);
/** What detectors give: candidates and hints. */
export const isTold = (label: string, confidence: number): boolean =>
  confidence >= (label === 'person' ? HINT_OF_PERSON : MIN_CONFIDENCE);
