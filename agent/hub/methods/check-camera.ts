import { CheckCameraRequest, type CheckCameraAnswer } from '@dachawatch/contracts';
import type { CameraCheck } from '../../capture/capture.ts';
import { redact } from '../../kernel/log.ts';
import { defineMethod } from './method.ts';
import { CAMERA_STATUSES, type CamerasDep, existingCamera, onlyCamera } from './which-camera.ts';

export interface CheckCameraDeps extends CamerasDep {
  /** Watches both streams for ten seconds.
   *  @throws Failure `capture.unwatchable` and others */
  readonly checkCamera: (
    cameraId: string,
    signal: AbortSignal,
  ) => Promise<Pick<CameraCheck, 'usable' | 'streams' | 'advice'>>;
}

/** As `scripts/camera check`, of a camera that is configured. */
export const checkCamera = defineMethod({
  request: CheckCameraRequest,
  statuses: CAMERA_STATUSES,
  async answer(request, deps: CheckCameraDeps, signal): Promise<CheckCameraAnswer> {
    const { cameraId = onlyCamera(deps) } = request;
    const { usable, streams, advice } = await deps.checkCamera(existingCamera(deps, cameraId), signal);
    return {
      cameraId,
      usable,
      streams: streams.map((one) => ({
        ...one,
        trouble: one.trouble === null ? null : redact(one.trouble),
      })),
      advice: advice.map((one) => ({ ...one, sentence: redact(one.sentence) })),
    };
  },
});
