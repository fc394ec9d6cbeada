import { createCameraTime } from '../packing/camera-time.ts';
import { type CodedPicture, createPictureCutter, type PictureCutter } from '../packing/coded-pictures.ts';
import { accessUnit } from '../packing/access-unit.ts';
import type { RunningPipeline, Waiting } from './gstreamer.ts';

/** Ten seconds of most cameras: what is decoded so late is not seen in time. */
const MAX_WAITING = { buffers: 150, bytes: 32 * 1024 * 1024 } as const;

/** Cuts the watched stream into pictures and gives them to the decoder.
 *  Invariants
 *  1. What waits for the decoder is bounded: a machine that cannot follow goes on with a key frame.
 *  2. Pictures are timed by the same rules as recorded ones (camera-time.ts), so that a camera whose clock jumps is
 *     not watched by a clock that waits. */
export function createWatchedPictures(
  decoder: () => Pick<RunningPipeline, 'push' | 'waiting'> | undefined,
): PictureCutter {
  const time = createCameraTime();
  let behind = false;

  function onPicture(picture: CodedPicture): void {
    const { mediaMs } = time.place(picture);
    const to = decoder();
    if (!to) return;
    if (picture.sets) behind = false;
    behind ||= isMuch(to.waiting());
    if (!behind) to.push(accessUnit(picture), mediaMs);
  }

  return createPictureCutter({ onPicture });
}

const isMuch = ({ buffers, bytes }: Waiting): boolean =>
  buffers >= MAX_WAITING.buffers || bytes >= MAX_WAITING.bytes;
