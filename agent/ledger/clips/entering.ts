import { clipBlobNameOnDevice } from '@dachawatch/contracts';
import type { Clip, ClipRows } from './clip-rows.ts';

/** What is known of a clip before its first byte. */
export type BegunClip = Pick<Clip, 'clipId' | 'cameraId' | 'triggeredMs' | 'clockQuality'>;

/** Begins the row of a clip, in state `recording`. Must be called inside a transaction.
 *  @param detail for its first line of custody */
export function enterClip(rows: Pick<ClipRows, 'insert'>, clip: BegunClip, detail: string | null): void {
  const { clipId, cameraId, clockQuality } = clip;
  const triggeredMs = Math.round(clip.triggeredMs);
  rows.insert(
    {
      clip_id: clipId,
      camera_id: cameraId,
      clock_quality: clockQuality,
      blob_name: clipBlobNameOnDevice({ cameraId, clipId, triggeredMs }),
      triggered_ms: triggeredMs,
    },
    detail,
  );
}
