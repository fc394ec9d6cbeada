import type { Detection, RelativeBox } from '../../../../cloud-fn/yolo/detectors/detector.ts';
import { intersectionOverUnion } from '../../../../cloud-fn/yolo/detectors/overlap.ts';

/** A picture: what is in it, and what was found. */
export interface Scored {
  readonly labelled: readonly { readonly label: string; readonly box: RelativeBox }[];
  readonly found: readonly Detection[];
}

/** Boxes that overlap so much show the same. */
const SAME = 0.5;

/** Of one label over all pictures. Each thing is found once, by the surest box that fits; others are false.
 *  `ap` is the area under precision over recall, precision made to fall (as COCO does, at every point instead of 101). */
export function scoreOf(label: string, pictures: readonly Scored[]) {
  const boxes = pictures
    .flatMap(({ found, labelled }, picture) =>
      found
        .filter((one) => one.label === label)
        .map(({ confidence, box }) => ({ picture, confidence, box, labelled })),
    )
    .toSorted((a, b) => b.confidence - a.confidence);
  const things = pictures.reduce(
    (sum, { labelled }) => sum + labelled.filter((one) => one.label === label).length,
    0,
  );
  const taken = new Set<unknown>();
  let right = 0;
  const points = boxes.map(({ box, labelled }, index) => {
    const best = labelled
      .filter((one) => one.label === label && !taken.has(one))
      .map((one) => ({ one, overlap: intersectionOverUnion(one.box, box) }))
      .toSorted((a, b) => b.overlap - a.overlap)[0];
    if (best && best.overlap >= SAME) {
      taken.add(best.one);
      right++;
    }
    return { precision: right / (index + 1), recall: right / things };
  });
  return {
    things,
    precision: boxes.length === 0 ? null : right / boxes.length,
    recall: things === 0 ? null : right / things,
    ap: things === 0 ? null : areaUnder(points),
  };
}

function areaUnder(points: readonly { precision: number; recall: number }[]): number {
  let area = 0;
  let reached = 0;
  for (const [index, { recall }] of points.entries()) {
    const height = Math.max(...points.slice(index).map(({ precision }) => precision));
    area += (recall - reached) * height;
    reached = recall;
  }
  return area;
}
