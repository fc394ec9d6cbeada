import type { Clock } from '../../../kernel/clock.ts';
import type { GateDecision } from '../../../motion/motion.ts';
import type { RunningPipeline } from '../gstreamer.ts';
import { ENCODER, SHUTTER, THUMBNAIL_ENCODER, THUMBNAIL_SHUTTER } from '../pipelines.ts';
import { createClipThumbnails } from './clip-thumbnails.ts';
import {
  CLIP_THUMBNAIL,
  createPictureTap,
  type PictureSize,
  type PictureTap,
  SNAPSHOT,
} from './picture-tap.ts';

/** The pictures for people of one camera: who asks for one, and one small one for each clip. */
export interface SessionPictures {
  /** For who asks. */
  readonly tap: PictureTap;
  readonly thumbnailTap: Pick<PictureTap, 'take'>;
  /** A clip is being written from now on. */
  begun(clipId: string): void;
  /** What was made of a frame. */
  frame(decision: GateDecision, atMs: number): void;
}

export function createSessionPictures(deps: {
  readonly cameraId: string;
  readonly clock: Clock;
  /** Undefined before it runs. */
  readonly decoder: () => Pick<RunningPipeline, 'set'> | undefined;
  /** @param jpeg base64 */
  thumbnail(clipId: string, jpeg: string): void;
}): SessionPictures {
  const { cameraId, clock, decoder } = deps;
  const tapOf = (size: PictureSize, shutter: string, encoder: string) =>
    createPictureTap({
      ...{ cameraId, clock, size },
      branch: {
        open: (open) => decoder()?.set(shutter, 'drop', !open),
        quality: (quality) => decoder()?.set(encoder, 'quality', quality),
      },
    });
  const thumbnailTap = tapOf(CLIP_THUMBNAIL, THUMBNAIL_SHUTTER, THUMBNAIL_ENCODER);
  const thumbnails = createClipThumbnails({
    tap: thumbnailTap,
    taken: (clipId, jpeg) => deps.thumbnail(clipId, jpeg),
  });
  return {
    tap: tapOf(SNAPSHOT, SHUTTER, ENCODER),
    thumbnailTap,
    begun: (clipId) => thumbnails.begun(clipId, clock.monotonicMs()),
    frame: (decision, atMs) => thumbnails.frame(decision, atMs),
  };
}
