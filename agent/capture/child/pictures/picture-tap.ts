import type { Clock } from '../../../kernel/clock.ts';
import { withDeadline } from '../../../kernel/waiting/deadline.ts';
import { Failure } from '../../../kernel/failure.ts';
import type { Caps } from '../gstreamer.ts';
import { MAX_PICTURE_BYTES, MAX_THUMBNAIL_BYTES } from '../../messages.ts';

/** A coded picture on its way to the parent. */
export interface Picture {
  /** Base64. */
  readonly jpeg: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly takenMs: number;
}

/** What the pipeline's branch of pictures can be told. */
export interface PictureBranch {
  /** Lets decoded pictures through to the encoder, or none. */
  open(open: boolean): void;
  /** 0 to 100, from the next picture on. */
  quality(quality: number): void;
}

export interface PictureTap {
  /** The next picture that is decoded.
   *  @throws Failure transient `capture.no-picture` when none comes in time, or none is small enough */
  next(): Promise<Picture>;
  /** A picture came out of the encoder. */
  take(jpeg: Buffer, caps: Caps): void;
}

/** How large a picture may be, and which qualities are tried, from good to very poor: the next lower one when a picture
 *  is too large. */
export interface PictureSize {
  readonly maxBytes: number;
  readonly qualities: readonly number[];
}

/** For who asks for a picture. */
export const SNAPSHOT: PictureSize = { maxBytes: MAX_PICTURE_BYTES, qualities: [85, 65, 40, 20, 5] };
/** For lists of clips. Hardly any is too large at first. */
export const CLIP_THUMBNAIL: PictureSize = { maxBytes: MAX_THUMBNAIL_BYTES, qualities: [55, 30, 15, 5] };

/** Less than what a camera may be silent before it counts as stalled. */
const NEXT_MS = 4_000;

/** Takes pictures out of the sub-stream.
 *  Invariants
 *  1. Nothing is encoded while nobody asks.
 *  2. A picture was decoded after it was asked for; what comes unasked is dropped. */
export function createPictureTap(deps: {
  readonly cameraId: string;
  readonly size: PictureSize;
  readonly branch: PictureBranch;
  readonly clock: Pick<Clock, 'nowMs'>;
}): PictureTap {
  const { branch, clock } = deps;
  const { maxBytes, qualities } = deps.size;
  let wanted: PromiseWithResolvers<Picture> | undefined;
  let asked: Promise<Picture> | undefined;
  let step = 0;

  function aim(at: number): void {
    step = at;
    branch.quality(qualities[at] as number);
  }

  async function ask(): Promise<Picture> {
    wanted = Promise.withResolvers<Picture>();
    aim(0);
    branch.open(true);
    try {
      return await withDeadline(
        wanted.promise,
        NEXT_MS,
        `camera ${deps.cameraId}: the next picture`,
        'capture.no-picture',
      );
    } finally {
      branch.open(false);
      wanted = undefined;
      asked = undefined;
    }
  }

  return {
    next: () => (asked ??= ask()),
    take: (jpeg, { width, height }) => {
      if (!wanted) return;
      const tooLarge = jpeg.length > maxBytes;
      if (tooLarge && step + 1 < qualities.length) return aim(step + 1);
      const { resolve, reject } = wanted;
      wanted = undefined;
      if (tooLarge)
        return reject(
          new Failure('transient', 'capture.no-picture', 'the picture does not become small enough'),
        );
      resolve({
        jpeg: jpeg.toString('base64'),
        widthPx: Number(width),
        heightPx: Number(height),
        takenMs: Math.round(clock.nowMs()),
      });
    },
  };
}
