import type { Detection } from '../detectors/detector.ts';

export interface PlacedLabel {
  readonly detection: Detection;
  readonly text: string;
  readonly fontSize: number;
  /** Of the filled rectangle behind the text, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Advance of a character of DejaVu Sans Mono over its font size. */
const ADVANCE = 0.602;

export const paddingOf = (fontSize: number): number => Math.round(fontSize * 0.35);

/** A label for each detection: above its box, else below it, else inside; the first place that is in the picture
 *  and covers no label placed before. The most important detections come first and get their place.
 *  When everything is taken, the label is left out: what cannot be read only hides the picture. */
export function placeLabels(
  detections: readonly Detection[],
  size: { readonly width: number; readonly height: number },
): PlacedLabel[] {
  const fontSize = Math.max(11, Math.round(size.width / 60));
  const height = Math.round(fontSize * 1.3);
  const placed: PlacedLabel[] = [];
  for (const detection of detections) {
    const [left, top, , bottom] = detection.box;
    const text = `${detection.label} ${Math.round(detection.confidence * 100)}%`;
    const width = Math.ceil(text.length * fontSize * ADVANCE) + 2 * paddingOf(fontSize);
    const x = Math.max(0, Math.min(Math.round(left * size.width), size.width - width));
    const boxTop = Math.round(top * size.height);
    const label = [boxTop - height, Math.round(bottom * size.height), boxTop]
      .filter((y) => y >= 0 && y + height <= size.height)
      .map((y) => ({ detection, text, fontSize, x, y, width, height }))
      .find((candidate) => !placed.some((other) => touch(candidate, other)));
    if (label) placed.push(label);
  }
  return placed;
}

const touch = (a: PlacedLabel, b: PlacedLabel): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
