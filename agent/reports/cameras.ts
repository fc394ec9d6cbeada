import type { TelemetryData } from '@dachawatch/contracts';
import { type CameraState, type CameraStatus, isWithoutPicture } from '../capture/capture.ts';
import { createNews, type News, type NewsDeps } from './news.ts';

type CameraData = TelemetryData<'camera.state'>;

export interface CameraReport {
  /** @returns whether anything was told */
  look(cameras: readonly CameraStatus[]): boolean;
}

export interface CameraReportDeps extends Omit<NewsDeps<CameraData>, 'tell'> {
  readonly tell: (data: CameraData) => boolean;
  /** Makes a detail fit for telling. */
  readonly detail: (detail: string | null) => Pick<CameraData, 'detail'>;
}

/** Tells the states of cameras. One that is gone is tried again and again: that it is `starting` after it was told
 *  unreachable, for example, is no news, only that it is `live` is. */
export function createCameraReport({ detail, ...deps }: CameraReportDeps): CameraReport {
  const known = new Map<string, { news: News<CameraData>; told: CameraState | undefined }>();

  function lookAt(camera: CameraStatus): boolean {
    const { cameraId, state } = camera;
    const entry = known.get(cameraId) ?? { news: createNews<CameraData>(deps), told: undefined };
    known.set(cameraId, entry);
    const stillGone = state === 'starting' && entry.told !== undefined && isWithoutPicture(entry.told);
    const told = entry.news.look(stillGone && entry.told ? entry.told : state, {
      cameraId,
      state,
      ...detail(camera.detail),
    });
    if (told) entry.told = state;
    return told;
  }

  return {
    look(cameras) {
      const present = new Set(cameras.map(({ cameraId }) => cameraId));
      for (const cameraId of known.keys()) if (!present.has(cameraId)) known.delete(cameraId);
      return cameras.map(lookAt).includes(true);
    },
  };
}
