import { SnapshotRequest, type SnapshotAnswer } from '@dachawatch/contracts';
import { defineMethod } from './method.ts';
import { CAMERA_STATUSES, type CamerasDep, existingCamera, onlyCamera } from './which-camera.ts';

export interface SnapshotDeps extends CamerasDep {
  /** A picture of the small stream, now.
   *  @throws Failure `capture.paused`, `capture.no-picture` and others */
  readonly snapshot: (
    cameraId: string,
    signal: AbortSignal,
  ) => Promise<{
    readonly jpeg: Uint8Array;
    readonly widthPx: number;
    readonly heightPx: number;
    /** Wall time, Unix milliseconds. */
    readonly takenMs: number;
  }>;
}

export const snapshot = defineMethod({
  request: SnapshotRequest,
  statuses: CAMERA_STATUSES,
  async answer(request, deps: SnapshotDeps, signal): Promise<SnapshotAnswer> {
    const { cameraId = onlyCamera(deps) } = request;
    const picture = await deps.snapshot(existingCamera(deps, cameraId), signal);
    return {
      cameraId,
      takenUtc: new Date(picture.takenMs).toISOString(),
      widthPx: picture.widthPx,
      heightPx: picture.heightPx,
      jpeg: Buffer.from(picture.jpeg).toString('base64'),
    };
  },
});
