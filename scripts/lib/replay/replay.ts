import { replayClip } from './clip.ts';
import { replayNote } from './note.ts';
import { readOptions } from './options.ts';
import { readSettings } from './settings.ts';

const USUAL_SENSITIVITY = 5;

/** What stands in `scripts/replay`. */
export async function replay(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const found = readSettings(options);
  const sensitivity = options.sensitivity ?? found?.sensitivity ?? USUAL_SENSITIVITY;
  const written = options.isNote
    ? await replayNote(options, found)
    : await replayClip(options, { ...found, sensitivity });
  for (const file of written) process.stdout.write(`${file}\n`);
  return 0;
}
