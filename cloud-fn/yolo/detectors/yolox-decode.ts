import { COCO_CLASS_COUNT, REPORTED_CLASSES } from './coco-labels.ts';
import { HINT_OF_PERSON, isTold, type Detection } from './detector.ts';

const STRIDES = [8, 16, 32] as const;
/** x, y, width, height, objectness, then one score per class. */
const ROW = 5 + COCO_CLASS_COUNT;

/** Rows of the raw output for a square input. */
export const yoloxRows = (side: number): number =>
  STRIDES.reduce((rows, stride) => rows + Math.floor(side / stride) ** 2, 0);

/** Candidates in the raw grid output of YOLOX (rows by stride, then y, then x), before overlaps are removed.
 *  centre = (offset + cell) * stride, size = e^value * stride, score = objectness * class score
 *  (YOLOX, Ge et al. 2021, section 2.1; the export leaves this step to the reader).
 *  @param output `yoloxRows(side)` rows of 85 numbers
 *  @param picture size of the picture inside the square, top left */
export function decodeYolox(
  output: Float32Array,
  side: number,
  picture: { readonly width: number; readonly height: number },
): Detection[] {
  const found: Detection[] = [];
  let row = 0;
  for (const stride of STRIDES) {
    const cells = Math.floor(side / stride);
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++, row++) {
        const at = row * ROW;
        const objectness = output[at + 4] ?? 0;
        // No class score is above 1, so most rows end here.
        if (objectness < HINT_OF_PERSON) continue;
        const best = bestClass(output, at + 5);
        const confidence = objectness * best.score;
        if (!isTold(best.label, confidence)) continue;
        const centreX = ((output[at] ?? 0) + x) * stride;
        const centreY = ((output[at + 1] ?? 0) + y) * stride;
        const halfWidth = (Math.exp(output[at + 2] ?? 0) * stride) / 2;
        const halfHeight = (Math.exp(output[at + 3] ?? 0) * stride) / 2;
        const box: Detection['box'] = [
          clamp((centreX - halfWidth) / picture.width),
          clamp((centreY - halfHeight) / picture.height),
          clamp((centreX + halfWidth) / picture.width),
          clamp((centreY + halfHeight) / picture.height),
        ];
        // A box in the padding has no size left.
        if (box[2] > box[0] && box[3] > box[1])
          found.push({ label: best.label, confidence: Math.min(1, confidence), box });
      }
    }
  }
  return found;
}

/** The best of the reported classes: a `tv` that beats a weak `person` does not hide the person's row. */
function bestClass(output: Float32Array, at: number): { label: string; score: number } {
  let label = '';
  let score = -1;
  for (const { id, label: name } of REPORTED_CLASSES) {
    const value = output[at + id] ?? 0;
    if (value > score) {
      score = value;
      label = name;
    }
  }
  return { label, score };
}

export const clamp = (value: number): number => Math.min(1, Math.max(0, value));
