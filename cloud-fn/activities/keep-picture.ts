import { bestFrameBlobName, CONTAINER_CLIPS, CONTAINER_FRAMES } from '@dachawatch/contracts';
import type { StoragePort } from '../ports/storage.ts';

export interface KeepPicture {
  readonly clip: { readonly blobName: string };
  /** The worker's best frame, in the container of the frames. */
  readonly frame: string;
}

const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Copies a clip's best frame beside it, where the house may read it. Again: the same copy.
 *  @returns whether there is one now: not when there is no such frame */
export function createKeepPicture({
  storage,
}: {
  readonly storage: Pick<StoragePort, 'readBlob' | 'writeBlob'>;
}) {
  return async ({ clip, frame }: KeepPicture): Promise<{ kept: boolean }> => {
    const prefix = `${CONTAINER_FRAMES}/`;
    const name = frame.startsWith(prefix) ? frame.slice(prefix.length) : frame;
    const picture = await storage.readBlob({ container: CONTAINER_FRAMES, name }, MAX_FRAME_BYTES);
    if (!picture) return { kept: false };
    const to = bestFrameBlobName(clip.blobName.slice(CONTAINER_CLIPS.length + 1));
    await storage.writeBlob(
      { container: CONTAINER_CLIPS, name: to },
      { bytes: picture.bytes, contentType: 'image/jpeg' },
    );
    return { kept: true };
  };
}
