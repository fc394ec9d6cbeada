/** What the appliance is told to do: `appliance.json`, its credentials, and over them the desired properties of the
 *  twin. */
export { type ConfigFiles, openConfigFiles, readText } from './config-files.ts';
export { createDesiredSettings, type DesiredSettings, type DesiredSettingsDeps } from './desired.ts';
export type { Settings } from './desired-reading.ts';
