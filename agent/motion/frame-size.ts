import { Failure } from '../kernel/failure.ts';

/** Picture size the detector works on. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** Where frames enter, before anything is touched.
 *  @throws Failure `rejected` `motion.frame-size` for a frame of another size */
export function checkFrame(frame: Uint8Array, { width, height }: FrameSize): void {
  if (frame.length !== width * height)
    throw new Failure(
      'rejected',
      'motion.frame-size',
      `A frame has ${frame.length} bytes instead of ${width} x ${height}`,
    );
}
