import { RecordNowRequest, type RecordNowAnswer } from '@dachawatch/contracts';
import { redact } from '../../kernel/log.ts';
import { defineMethod } from './method.ts';
import { CAMERA_STATUSES, type CamerasDep, everyCamera, existingCamera } from './which-camera.ts';

export interface RecordNowDeps extends CamerasDep {
  /** Begins a clip and returns its id.
   *  @throws Failure `capture.paused` and others */
  readonly recordNow: (cameraId: string, signal: AbortSignal) => Promise<string>;
}

/** Each camera by itself: one that cannot does not keep the others from recording. */
export const recordNow = defineMethod({
  request: RecordNowRequest,
  statuses: CAMERA_STATUSES,
  async answer({ cameraId }, deps: RecordNowDeps, signal): Promise<RecordNowAnswer> {
    const wanted = cameraId === undefined ? everyCamera(deps) : [existingCamera(deps, cameraId)];
    const outcomes = await Promise.allSettled(wanted.map((id) => deps.recordNow(id, signal)));
    const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed && outcomes.every(({ status }) => status === 'rejected')) throw failed.reason;
    return {
      clips: outcomes.map((outcome, index) => ({
        cameraId: wanted[index] ?? '',
        ...(outcome.status === 'fulfilled'
          ? { clipId: outcome.value }
          : { problem: redact(sentence(outcome.reason)) }),
      })),
    };
  },
});

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));
