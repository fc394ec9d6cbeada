/** `scripts/replay`: shows what motion detection saw. Its help stands in `scripts/replay`. */
import { extname } from 'node:path';
import { Refusal } from '../bench/refusal.ts';
import { replayClip } from './clip.ts';
import { replayNote } from './note.ts';
import { type Options, readOptions } from './options.ts';
import { readSettings } from './settings.ts';

const USUAL_SENSITIVITY = 5;

async function replay(options: Options): Promise<void> {
  const isNote = extname(options.file) === '.json';
  if (isNote && options.sensitivity !== undefined)
    throw new Refusal('--sensitivity goes with a video: a kept note holds what the sensitivity of then saw');
  const found = readSettings(options);
  const sensitivity = options.sensitivity ?? found?.sensitivity ?? USUAL_SENSITIVITY;
  const written = isNote
    ? await replayNote(options, found)
    : await replayClip(options, { ...found, sensitivity });
  for (const file of written) process.stdout.write(`${file}\n`);
}

try {
  await replay(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`scripts/replay: ${(error as Error).message}\n`);
  process.exitCode = error instanceof Refusal ? 2 : 1;
}
