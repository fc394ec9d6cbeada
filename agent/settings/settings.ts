import type { Log } from '../kernel/log.ts';
import type { ConfigFiles } from './config-files.ts';
import { createDesiredSettings, type DesiredSettings } from './desired.ts';
import { credentialProblem, type Watching, watchingOf } from './watching.ts';

export { type ConfigFiles, openConfigFiles, readText } from './config-files.ts';
export { createDesiredSettings, type DesiredSettings, type DesiredSettingsDeps } from './desired.ts';
export type { Settings } from './desired-reading.ts';
export type { Watching } from './watching.ts';

/** What the appliance is told to do: `appliance.json`, its credentials, and over them the desired properties of the
 *  twin. */
export interface ApplianceSettings extends DesiredSettings {
  /** The settings in force, as capture obeys them. */
  watching(): Watching;
}

export function createSettings(deps: {
  readonly files: ConfigFiles;
  /** Folder of the file that keeps what was accepted of the twin. */
  readonly dir: string;
  /** Other settings are in force from now on. */
  readonly apply: (watching: Watching) => void;
  readonly log: Log;
}): ApplianceSettings {
  const { files, apply, log } = deps;
  const { recording, cameras, timeZone } = files.config;
  const desired = createDesiredSettings({
    base: { recording, cameras },
    dir: deps.dir,
    hasCredential: (name) => credentialProblem(files, name),
    apply: (settings) => apply(watchingOf(settings, files, timeZone, log)),
    log,
  });
  return { ...desired, watching: () => watchingOf(desired.settings(), files, timeZone, log) };
}
