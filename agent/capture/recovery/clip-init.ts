import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../kernel/failure.ts';
import { openRegular } from '../../kernel/files/regular-file.ts';
import { readHeader, readInit } from '../mp4/boxes.ts';
import { hasParameterSets } from '../mp4/described-sets.ts';
import { bytesOf, findInitCopy, type ReadableFile } from './clip-scan.ts';
import { MAX_INIT_BYTES } from '../mp4/init-copy.ts';

export interface KnownInit {
  readonly init: Buffer;
  /** The clip that it was taken from; undefined: the clip itself. */
  readonly from?: string;
}

/** So many clips of the camera are asked, the nearest in time first. */
const MAX_NEIGHBOURS = 16;
/** `ftyp` and `moov`, and what a muxer may put between them. */
const MAX_INIT_BOXES = 8;

/** Init segments that may be the one of this clip, the surest first: the copy that the clip carries, then its own
 *  beginning, then that of other clips of the camera. One that does not describe pictures was damaged: it comes last. */
export async function* possibleInits(
  clipFile: string,
  file: ReadableFile,
  size: number,
): AsyncGenerator<KnownInit> {
  const copy = await findInitCopy(file, size);
  if (copy) yield { init: copy };
  const own = await initAtStart(file, size);
  if (own && hasParameterSets(own)) yield { init: own };
  for (const name of await neighbours(clipFile)) {
    const init = await initOf(join(dirname(clipFile), name));
    if (init && hasParameterSets(init)) yield { init, from: name.replace(/\.mp4(?:\.part)?$/, '') };
  }
  if (own) yield { init: own };
}

/** `ftyp` and `moov` as they stand at the beginning, if they can be read. */
async function initAtStart(file: ReadableFile, size: number): Promise<Buffer | undefined> {
  try {
    let at = 0;
    for (let count = 0; count < MAX_INIT_BOXES; count++) {
      const box = readHeader(await bytesOf(file, at, 16));
      if (!box || at + box.bytes > Math.min(size, MAX_INIT_BYTES)) return undefined;
      at += box.bytes;
      if (box.type !== 'moov') continue;
      const init = await bytesOf(file, 0, at);
      readInit(init);
      return init;
    }
    return undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === 'capture.box') return undefined;
    throw error;
  }
}

async function initOf(clip: string): Promise<Buffer | undefined> {
  const file = await openRegular(clip).catch(() => undefined);
  // Removed meanwhile, or no file: the next one is as good.
  if (!file) return undefined;
  try {
    return await initAtStart(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** Names of the other clips in the folder, which is the camera's: by turns the nearest before and behind. */
async function neighbours(clipFile: string): Promise<string[]> {
  const own = basename(clipFile);
  const names = (await readdir(dirname(clipFile)))
    .filter((name) => /\.mp4(?:\.part)?$/.test(name) && name !== own)
    .toSorted();
  const behind = names.filter((name) => name > own);
  const before = names.filter((name) => name < own).toReversed();
  const turns = Array.from({ length: Math.max(behind.length, before.length) }, (_, index) => [
    before[index],
    behind[index],
  ]);
  return turns
    .flat()
    .filter((name) => name !== undefined)
    .slice(0, MAX_NEIGHBOURS);
}
