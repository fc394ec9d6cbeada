import { isDeepStrictEqual } from 'node:util';
import type { CameraConfig, CameraCredential, RecordingConfig } from '@dachawatch/contracts';

export interface CaptureCamera {
  readonly config: CameraConfig;
  readonly credential: CameraCredential | undefined;
  /** Where the sub-stream has a login of its own. */
  readonly subCredential?: CameraCredential | undefined;
}

/** All that one camera's process is told. */
export interface CameraSettings {
  readonly config: CameraConfig;
  readonly credential: CameraCredential | undefined;
  /** Where the sub-stream has a login of its own. */
  readonly subCredential?: CameraCredential | undefined;
  readonly recording: RecordingConfig;
}

/** nothing: the running child need not know · reconfigure: it changes as it runs · renew: another connection, hence
 *  another child. */
export type Change = 'nothing' | 'reconfigure' | 'renew';

/** What it takes to get from one settings to the next. A setting that is not named here is told to the running child. */
export function changeOf(before: CameraSettings, after: CameraSettings): Change {
  const old = partsOf(before);
  const next = partsOf(after);
  if (!isDeepStrictEqual(old.connection, next.connection)) return 'renew';
  return isDeepStrictEqual(old.settings, next.settings) ? 'nothing' : 'reconfigure';
}

/** The title is for people, and of the credentials only what is in them matters. */
function partsOf(settings: CameraSettings) {
  const {
    title: _title,
    credential: _name,
    subCredential: _subName,
    main,
    sub,
    ...watching
  } = settings.config;
  return {
    connection: { main, sub, ...loginsOf(settings) },
    settings: { watching, recording: settings.recording },
  };
}

/** The login of each stream. */
export const loginsOf = ({ credential, subCredential = credential }: CameraSettings) => ({
  mainLogin: credential,
  subLogin: subCredential,
});
