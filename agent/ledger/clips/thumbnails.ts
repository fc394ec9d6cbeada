import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { classify } from '../../kernel/classify.ts';
import { moveAsideUnlessFile } from '../../kernel/files/move-aside.ts';
import { entryAt, isOfSystem } from './clip-files.ts';

/** Most bytes of the small picture of a clip: lists show many of them. */
export const THUMBNAIL_MAX_BYTES = 10_000;

/** The small picture beside a clip.
 *  @param file the clip's, finished or part */
export const thumbnailOf = (file: string): string => `${withoutEnding(file)}.jpg`;

const withoutEnding = (file: string): string => file.replace(/\.mp4(?:\.part)?$/, '');

/** Puts the small picture of a clip beside it.
 *  It is not synced: a power cut may cost it, and never the clip. What a kill leaves of it is removed by the check.
 *  @param file the clip's, finished or part: one that is not there any more gets no picture
 *  @returns whether it stands there
 *  @throws Failure of the disk; nothing is left of it then */
export function keepThumbnail(file: string, jpeg: Uint8Array): boolean {
  const clip = withoutEnding(file);
  // In this order: the clip may be renamed between the two looks.
  const isThere = [`${clip}.mp4.part`, `${clip}.mp4`].some((path) => entryAt(path).kind === 'file');
  if (!isThere) return false;
  const thumbnail = thumbnailOf(file);
  const beside = `${thumbnail}.tmp`;
  try {
    for (const path of [thumbnail, beside]) moveAsideUnlessFile(path);
    writeFileSync(beside, jpeg, { mode: 0o600 });
    renameSync(beside, thumbnail);
    return true;
  } catch (error) {
    dropFile(beside);
    throw classify(error, 'ledger.thumbnail');
  }
}

/** Its life ends with the clip's. What does not go now is removed by the check. */
export function dropThumbnail(file: string): void {
  const thumbnail = thumbnailOf(file);
  for (const path of [`${thumbnail}.tmp`, thumbnail]) dropFile(path);
}

/** A clip is worth more than its picture: one that cannot be removed fails nothing. */
export function dropFile(path: string): void {
  try {
    if (entryAt(path).kind === 'file') rmSync(path, { force: true });
  } catch (error) {
    // The check tries it again.
    if (!isOfSystem(error)) throw error;
  }
}

/** The clip that a file name in a camera's folder shows, and whether it is a picture that was never finished; undefined
 *  for all other names. */
export function thumbnailIn(
  name: string,
): { readonly clipId: string; readonly isUnfinished: boolean } | undefined {
  const [, clipId, tmp] = /^([0-9A-Z]{26})\.jpg(\.tmp)?$/.exec(name) ?? [];
  return clipId === undefined ? undefined : { clipId, isUnfinished: tmp !== undefined };
}
