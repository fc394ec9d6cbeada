import { addCamera } from './add.ts';
import { check } from './check.ts';
import { find } from './find.ts';
import { type CameraOptions, readCameraOptions } from './options.ts';
import { tune } from './tune.ts';

const COMMANDS: Readonly<
  Record<CameraOptions['name'], (options: CameraOptions, signal: AbortSignal) => Promise<number>>
> = { find, check, tune, add: addCamera };

/** What stands in `scripts/camera`. */
export async function runCameraCommand(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readCameraOptions(args);
  return await COMMANDS[options.name](options, signal);
}
