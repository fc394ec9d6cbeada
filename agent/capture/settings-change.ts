import { isDeepStrictEqual } from 'node:util';
import type { CameraConfig, CameraCredential, RecordingConfig } from '@dachawatch/contracts';

/** All that one camera's process is told. */
export interface CameraWish {
  readonly config: CameraConfig;
  readonly credential: CameraCredential | undefined;
  readonly recording: RecordingConfig;
}

/** nothing: the running child need not know · reconfigure: it changes as it runs · renew: another connection, hence
 *  another child. */
export type Change = 'nothing' | 'reconfigure' | 'renew';

/** What it takes to get from one wish to the next. A setting that is not named here is told to the running child. */
export function changeOf(before: CameraWish, after: CameraWish): Change {
  const old = partsOf(before);
  const next = partsOf(after);
  if (!isDeepStrictEqual(old.connection, next.connection)) return 'renew';
  return isDeepStrictEqual(old.settings, next.settings) ? 'nothing' : 'reconfigure';
}

/** The title is for people, and of the credential only what is in it matters. */
function partsOf({ config, credential, recording }: CameraWish) {
  const { title: _title, credential: _name, main, sub, ...watching } = config;
  return { connection: { main, sub, credential }, settings: { watching, recording } };
}
