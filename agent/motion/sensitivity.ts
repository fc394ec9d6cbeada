/** What one step of sensitivity means. Pixels and distances are of the 320 x 180 picture. */
export interface Thresholds {
  /** Least grey levels by which a pixel must differ from the background, however quiet the picture is. */
  readonly minContrast: number;
  /** Least changed pixels of a region. */
  readonly minPixels: number;
  /** Least frames a region must be seen. */
  readonly minFrames: number;
  /** Least distance it must have gone, pixels. */
  readonly minTravel: number;
}

/** From "only large and clear motion" to "almost any". */
const STEPS: readonly Thresholds[] = [
  { minContrast: 24, minPixels: 600, minFrames: 5, minTravel: 30 },
  { minContrast: 20, minPixels: 320, minFrames: 5, minTravel: 22 },
  { minContrast: 17, minPixels: 180, minFrames: 4, minTravel: 16 },
  { minContrast: 14, minPixels: 100, minFrames: 4, minTravel: 12 },
  { minContrast: 12, minPixels: 55, minFrames: 4, minTravel: 10 },
  { minContrast: 11, minPixels: 44, minFrames: 4, minTravel: 8 },
  { minContrast: 10, minPixels: 36, minFrames: 3, minTravel: 7 },
  { minContrast: 9, minPixels: 28, minFrames: 3, minTravel: 5 },
  { minContrast: 8, minPixels: 20, minFrames: 2, minTravel: 3 },
  { minContrast: 7, minPixels: 14, minFrames: 2, minTravel: 0 },
];

/** @param sensitivity 1 to 10, as in `dachawatch/camera/1` */
export function thresholdsOf(sensitivity: number): Thresholds {
  const step = STEPS[Math.min(STEPS.length, Math.max(1, Math.round(sensitivity))) - 1];
  return step as Thresholds;
}
