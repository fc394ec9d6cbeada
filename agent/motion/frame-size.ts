import { Failure } from '../kernel/failure.ts';
import type { FrameSize } from './motion.ts';

/** At the door, before anything is touched.
 *  @throws Failure `rejected` `motion.frame-size` for a frame of another size */
export function checkFrame(frame: Uint8Array, { width, height }: FrameSize): void {
  if (frame.length !== width * height)
    throw new Failure(
      'rejected',
      'motion.frame-size',
      `A frame has ${frame.length} bytes instead of ${width} x ${height}`,
    );
}
