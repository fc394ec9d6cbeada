import type { CameraStatus } from '../../capture/capture.ts';
import { Failure } from '../../kernel/failure.ts';

export interface CamerasDep {
  readonly cameras: () => readonly Pick<CameraStatus, 'cameraId'>[];
}

/** What may be wrong with a camera that was asked for. */
export const CAMERA_STATUSES = {
  'method.no-such-camera': 404,
  'method.camera-missing': 400,
  'capture.unknown-camera': 404,
  'capture.paused': 409,
} as const;

const idsOf = ({ cameras }: CamerasDep) => cameras().map(({ cameraId }) => cameraId);
const known = (deps: CamerasDep) => `there are: ${idsOf(deps).join(', ') || 'none'}`;

/** @throws Failure `rejected` */
export function existingCamera(deps: CamerasDep, cameraId: string): string {
  if (idsOf(deps).includes(cameraId)) return cameraId;
  throw new Failure('rejected', 'method.no-such-camera', `there is no camera ${cameraId}; ${known(deps)}`);
}

/** @throws Failure `rejected` when there is none */
export function everyCamera(deps: CamerasDep): readonly string[] {
  const ids = idsOf(deps);
  if (ids.length > 0) return ids;
  throw new Failure('rejected', 'method.no-such-camera', 'there is no camera');
}

/** @throws Failure `rejected` when there is none, or more than one */
export function onlyCamera(deps: CamerasDep): string {
  const [first = '', ...others] = everyCamera(deps);
  if (others.length === 0) return first;
  throw new Failure('rejected', 'method.camera-missing', `say which camera in cameraId; ${known(deps)}`);
}
