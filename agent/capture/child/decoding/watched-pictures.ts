import { createCameraTime } from '../../packing/camera-time.ts';
import { type CodedPicture, createPictureCutter, type PictureCutter } from '../../packing/coded-pictures.ts';

/** Cuts the watched stream into pictures and times them by the same rules as recorded ones (camera-time.ts), so that a
 *  camera whose clock jumps is not watched by a clock that waits. */
export function createWatchedPictures(
  onPicture: (picture: CodedPicture, mediaMs: number) => void,
): PictureCutter {
  const time = createCameraTime();
  return createPictureCutter({
    onPicture: (picture) => onPicture(picture, time.place(picture).mediaMs),
  });
}
