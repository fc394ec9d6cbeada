/** Which frames of a clip are analysed. */
export const STRATEGIES = ['fixed-rate', 'every-frame', 'key-frames'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const DEFAULT_RATE_FPS = 2;

/** Most frames analysed of one clip. A longer clip is sampled more thinly over its whole length, so that a clip of
 *  an hour costs what one of minutes does and its end is looked at as its beginning is. */
const MAX_ANALYSED = {
  'fixed-rate': 300,
  'every-frame': 3600,
  'key-frames': 300,
} as const satisfies Record<Strategy, number>;

/** Taken when the container does not tell how long the clip is. */
const ASSUMED_DURATION_MS = 120_000;

export interface SamplingPlan {
  readonly strategy: Strategy;
  readonly keyFramesOnly: boolean;
  /** At most one frame in each slot of so many seconds. */
  readonly slotSeconds: number;
  /** Analysis ends there: the container lied about the length. */
  readonly maxAnalysed: number;
  /** Only this stretch of the clip; all of it when absent. */
  readonly window?: { readonly fromMs: number; readonly toMs: number };
}

/** @param rateFps frames per second of `fixed-rate` */
export function planSampling(
  strategy: Strategy,
  clip: { readonly durationMs: number | undefined },
  rateFps: number = DEFAULT_RATE_FPS,
): SamplingPlan {
  const maxAnalysed = MAX_ANALYSED[strategy];
  // For every frame of a clip of usual length this is shorter than the distance of two frames: all are taken.
  const thinnest = (clip.durationMs ?? ASSUMED_DURATION_MS) / 1000 / maxAnalysed;
  return {
    strategy,
    keyFramesOnly: strategy === 'key-frames',
    slotSeconds: strategy === 'fixed-rate' ? Math.max(1 / rateFps, thinnest) : thinnest,
    // Twice, because rounding and a length somewhat wrong must not cut off the end.
    maxAnalysed: maxAnalysed * 2,
  };
}

/** FFmpeg's `select` expression of a plan: the first frame in each slot. Real frames at their own times, never
 *  repeated ones, whatever the frame rate does; one with a time far ahead does not hide those behind it. Quoted for a
 *  filter graph. */
export function selectExpression({ slotSeconds }: SamplingPlan): string {
  const slot = Math.max(slotSeconds, 0.001).toFixed(6);
  return `'isnan(prev_selected_t)+not(eq(floor(t/${slot}),floor(prev_selected_t/${slot})))'`;
}
