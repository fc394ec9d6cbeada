/** Picture size the detector works on. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** A moving region, in relative coordinates: left, top, right, bottom, 0 to 1. */
export type Region = readonly [number, number, number, number];

export type MotionDecision =
  | { readonly kind: 'quiet' }
  /** Something moves, but it does not count; `reason` is stable: `learning`, `too-small`, `too-short`, `whole-scene`. */
  | { readonly kind: 'suppressed'; readonly reason: string; readonly regions: readonly Region[] }
  | { readonly kind: 'motion'; readonly regions: readonly Region[] };

export interface MotionDetector {
  /** One grey frame, row by row, 8 bit, `width * height` bytes.
   *  @param atMs monotonic milliseconds of the frame
   *  @throws Failure `rejected` `motion.frame-size` for a frame of another size; the model is untouched then */
  analyse(frame: Uint8Array, atMs: number): MotionDecision;
}
