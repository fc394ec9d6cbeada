import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { FrameSize } from '../frame-size.ts';

export const THUMBNAIL: FrameSize = { width: 80, height: 45 };
const PIXELS = THUMBNAIL.width * THUMBNAIL.height;

/** One small grey picture. */
export interface Thumbnail {
  /** From the decision to this picture, milliseconds; negative: before it. */
  readonly afterMs: number;
  /** Grey pixels row by row, deflated, base64. */
  readonly grey: string;
}

/** @returns the pixels; undefined when it is no picture of ours */
export function pixelsOf({ grey }: Thumbnail): Uint8Array | undefined {
  try {
    const pixels = inflateRawSync(Buffer.from(grey, 'base64'), { maxOutputLength: PIXELS });
    return pixels.length === PIXELS ? pixels : undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('Z_') || code.startsWith('ERR_')) return undefined;
    throw error;
  }
}

export const packThumbnail = (pixels: Uint8Array, afterMs: number): Thumbnail => ({
  afterMs: Math.round(afterMs),
  grey: deflateRawSync(pixels).toString('base64'),
});

const KEPT = 2;
/** Apart enough that a walking person is seen to have moved. */
const APART_MS = 600;

/** Keeps the last few thumbnails of what the model sees. Nothing is allocated but what is asked for. */
export function createThumbnails({ width, height }: FrameSize) {
  const kept = Array.from({ length: KEPT }, () => ({ atMs: Number.NaN, pixels: new Uint8Array(PIXELS) }));
  const now = new Uint8Array(PIXELS);
  let next = 0;
  let lastMs = Number.NaN;

  function shrink(frame: Uint8Array, into: Uint8Array): void {
    for (let ty = 0, t = 0; ty < THUMBNAIL.height; ty++) {
      const top = Math.floor((ty * height) / THUMBNAIL.height);
      const bottom = Math.floor(((ty + 1) * height) / THUMBNAIL.height);
      for (let tx = 0; tx < THUMBNAIL.width; tx++, t++) {
        const left = Math.floor((tx * width) / THUMBNAIL.width);
        const right = Math.floor(((tx + 1) * width) / THUMBNAIL.width);
        let sum = 0;
        for (let y = top; y < bottom; y++)
          for (let i = y * width + left; i < y * width + right; i++) sum += frame[i] as number;
        into[t] = sum / ((bottom - top) * (right - left));
      }
    }
  }

  return {
    /** Each frame; it looks at some of them. */
    note(frame: Uint8Array, atMs: number): void {
      if (atMs - lastMs < APART_MS) return;
      lastMs = atMs;
      const slot = kept[next] as (typeof kept)[number];
      shrink(frame, slot.pixels);
      slot.atMs = atMs;
      next = (next + 1) % KEPT;
    },
    /** The kept ones that are older than this frame, oldest first, and the frame itself. */
    before(frame: Uint8Array, atMs: number): Thumbnail[] {
      return [
        ...kept
          .filter((one) => one.atMs < atMs)
          .toSorted((a, b) => a.atMs - b.atMs)
          .map((one) => packThumbnail(one.pixels, one.atMs - atMs)),
        this.of(frame, 0),
      ];
    },
    of(frame: Uint8Array, afterMs: number): Thumbnail {
      shrink(frame, now);
      return packThumbnail(now, afterMs);
    },
  };
}
