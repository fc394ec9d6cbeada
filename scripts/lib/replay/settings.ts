import { readFileSync } from 'node:fs';
import { CameraConfig, ContractError, parseWithDefaults } from '@dachawatch/contracts';
import type { ZoneSettings } from '../../../agent/motion/zones/judge.ts';
import { Refusal } from '../command/ends.ts';
import type { Options } from './options.ts';

/** Zones, masks, lines and sensitivity to judge by: those of a camera in `appliance.json`, or of a file that holds
 *  the settings of one camera alone, whose addresses may be missing then.
 *  @throws Refusal what is wrong with the file, in one sentence */
export function readSettings({ settingsFile, cameraId }: Pick<Options, 'settingsFile' | 'cameraId'>) {
  if (settingsFile === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(settingsFile, 'utf8'));
  } catch (error) {
    throw new Refusal(`${settingsFile}: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null) throw new Refusal(`${settingsFile}: holds no settings`);
  const { cameras, timeZone } = value as { cameras?: unknown; timeZone?: unknown };
  const one = Array.isArray(cameras) ? chosen(settingsFile, cameras, cameraId) : value;
  const address = 'rtsp://camera/';
  const inherited = typeof timeZone === 'string' ? { timeZone } : {};
  try {
    return parseWithDefaults(CameraConfig, {
      id: 'camera',
      ...inherited,
      ...one,
      main: address,
      sub: address,
    }) satisfies ZoneSettings;
  } catch (error) {
    if (error instanceof ContractError) throw new Refusal(`${settingsFile}: ${error.message}`);
    throw error;
  }
}

function chosen(file: string, cameras: readonly unknown[], id: string | undefined): object {
  const all = cameras.filter((one): one is { id?: unknown } => typeof one === 'object' && one !== null);
  const found = id === undefined && all.length === 1 ? all[0] : all.find((one) => one.id === id);
  if (found) return found;
  throw new Refusal(`${file}: --camera has to name one of ${all.map((one) => String(one.id)).join(', ')}`);
}
