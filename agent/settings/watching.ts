import {
  type ApplianceConfig,
  type CameraCredential,
  ContractError,
  type RecordingConfig,
} from '@dachawatch/contracts';
import type { CaptureCamera } from '../capture/capture.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import type { ConfigFiles } from './config-files.ts';
import type { Settings } from './desired-reading.ts';

/** What capture obeys: the settings in force, with logins and the time zone of the house. */
export interface Watching {
  readonly cameras: readonly CaptureCamera[];
  readonly recording: RecordingConfig;
}

/** @param timeZone of the house, for cameras that name none */
export function watchingOf(
  { cameras, recording }: Settings,
  files: Pick<ConfigFiles, 'login'>,
  timeZone: ApplianceConfig['timeZone'],
  log: Log,
): Watching {
  return {
    recording,
    cameras: cameras.map((camera) => {
      const { id, credential, subCredential = credential } = camera;
      const main = loginOf(files, id, credential, log);
      return {
        config: timeZone === undefined ? camera : { timeZone, ...camera },
        credential: main,
        subCredential: subCredential === credential ? main : loginOf(files, id, subCredential, log),
      };
    }),
  };
}

/** One camera's missing login must not keep the others from being watched: that camera is tried without, and says on
 *  the page that it wants one. */
function loginOf(
  files: Pick<ConfigFiles, 'login'>,
  cameraId: string,
  credential: string | undefined,
  log: Log,
): CameraCredential | undefined {
  try {
    return files.login(cameraId, credential);
  } catch (error) {
    if (!(error instanceof Failure || error instanceof ContractError)) throw error;
    log.error({ event: 'camera.no-login', cameraId }, error.message);
    return undefined;
  }
}

/** Null, or what is wrong with a camera's credential, for the person who named it in the twin. */
export function credentialProblem(files: Pick<ConfigFiles, 'login'>, name: string): string | null {
  try {
    files.login('of the twin', name);
    return null;
  } catch {
    // Not its name: somebody may have typed the password itself.
    return 'the appliance holds no usable credential of this name';
  }
}
