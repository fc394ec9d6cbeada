import type { Detection, Detector, RelativeBox } from '../../detectors/detector.ts';
import { cutOut, type FullPicture, WHOLE } from './full-picture.ts';
import type { Look } from './look-plan.ts';

/** Shows a part of a picture to the detector; boxes come back relative to the whole picture. What the edge of a part
 *  cuts off is left out: another look shows it whole. */
export async function lookAt(
  detector: Detector,
  picture: FullPicture,
  { region }: Look,
): Promise<Detection[]> {
  const close = region !== WHOLE;
  const cut = cutOut(picture, region, detector.inputSize);
  const found = await detector.detect(cut);
  if (!close) return found;
  return found
    .filter(({ box }) => !isCutOff(box, region) && !fills(box))
    .map((detection) => ({ ...detection, box: outOf(region, detection.box) }));
}

/** A box relative to a region, relative to the whole. */
export function outOf(region: RelativeBox, box: RelativeBox): RelativeBox {
  const width = region[2] - region[0];
  const height = region[3] - region[1];
  return [
    region[0] + box[0] * width,
    region[1] + box[1] * height,
    region[0] + box[2] * width,
    region[1] + box[3] * height,
  ];
}

/** A part is several times as wide as what is expected in it. A net that is shown one without a thing, dark or blurred,
 *  often takes the whole of it for a person. */
const FILLS = 0.7;
const fills = ([left, top, right, bottom]: RelativeBox): boolean =>
  right - left > FILLS && bottom - top > FILLS;

const NEAR = 0.01;
const isCutOff = (box: RelativeBox, region: RelativeBox): boolean =>
  (box[0] < NEAR && region[0] > NEAR) ||
  (box[1] < NEAR && region[1] > NEAR) ||
  (box[2] > 1 - NEAR && region[2] < 1 - NEAR) ||
  (box[3] > 1 - NEAR && region[3] < 1 - NEAR);
