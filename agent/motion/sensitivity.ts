/** What one step of sensitivity means. Pixels and distances are of the 320 x 180 picture. */
export interface Thresholds {
  /** Least grey levels by which a pixel must differ from the background, however quiet the picture is. */
  readonly minContrast: number;
  /** Least changed pixels of a region. */
  readonly minPixels: number;
  /** So many that a region counts at once, where pictures are too rare to see it go. */
  readonly bigPixels: number;
  /** Least time a region must be followed, milliseconds. */
  readonly minAgeMs: number;
  /** Least distance it must have gone within two seconds, pixels. */
  readonly minTravel: number;
}

/** From "only large and clear motion" to "almost any". */
const STEPS: readonly Thresholds[] = [
  { minContrast: 20, minPixels: 600, bigPixels: 2400, minAgeMs: 800, minTravel: 30 },
  { minContrast: 17, minPixels: 320, bigPixels: 1200, minAgeMs: 800, minTravel: 22 },
  { minContrast: 14, minPixels: 180, bigPixels: 640, minAgeMs: 600, minTravel: 16 },
  { minContrast: 11, minPixels: 90, bigPixels: 320, minAgeMs: 600, minTravel: 12 },
  { minContrast: 9, minPixels: 40, bigPixels: 160, minAgeMs: 400, minTravel: 9 },
  { minContrast: 8, minPixels: 34, bigPixels: 130, minAgeMs: 400, minTravel: 8 },
  { minContrast: 8, minPixels: 28, bigPixels: 100, minAgeMs: 400, minTravel: 7 },
  { minContrast: 7, minPixels: 24, bigPixels: 80, minAgeMs: 400, minTravel: 6 },
  { minContrast: 6, minPixels: 18, bigPixels: 60, minAgeMs: 200, minTravel: 5 },
  { minContrast: 5, minPixels: 14, bigPixels: 40, minAgeMs: 200, minTravel: 4 },
];

/** @param sensitivity 1 to 10, as in `dachawatch/camera/1` */
export function thresholdsOf(sensitivity: number): Thresholds {
  const step = STEPS[Math.min(STEPS.length, Math.max(1, Math.round(sensitivity))) - 1];
  return step as Thresholds;
}
