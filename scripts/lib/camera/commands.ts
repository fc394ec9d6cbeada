import { addCamera } from './add.ts';
import { check } from './check.ts';
import { find } from './find.ts';
import { type CameraOptions, readCameraOptions } from './options.ts';
import { tune } from './tune.ts';

const COMMANDS: Readonly<
  Record<CameraOptions['name'], (options: CameraOptions, signal: AbortSignal) => Promise<number>>
> = { find, check, tune, add: addCamera };

const LAST_MS = 1_000;

/** What stands in `scripts/camera`. */
export async function runCameraCommand(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readCameraOptions(args);
  // Discovery listens to its end, whoever has given up: nothing that is left then has to be put away.
  signal.addEventListener('abort', () => void setTimeout(() => process.exit(), LAST_MS).unref());
  return await COMMANDS[options.name](options, signal);
}
