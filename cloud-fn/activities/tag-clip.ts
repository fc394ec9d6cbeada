import { CONTAINER_CLIPS, type Verdict } from '@dachawatch/contracts';
import type { StoragePort } from '../ports/storage.ts';

export interface TagClip {
  readonly clip: { readonly blobName: string; readonly device_id?: string };
  readonly verdict: Verdict;
}

/** Writes a verdict into the index tags of its clip. Other tags stay. `reviewed` goes back to false when the verdict
 *  that a person reviewed is no longer the verdict. Again: nothing is written. */
export async function tagClip(
  storage: Pick<StoragePort, 'readTags' | 'writeTags'>,
  { clip, verdict }: TagClip,
): Promise<void> {
  const place = { container: CONTAINER_CLIPS, name: clip.blobName.slice(CONTAINER_CLIPS.length + 1) };
  const word = verdict.verdict === 'nothing' ? 'safe' : verdict.verdict;
  const tags = await storage.readTags(place);
  if (!tags) return; // The clip itself is gone, by hand or by a lifetime rule of storage.
  const wanted = {
    ...tags,
    verdict: word,
    reviewed: tags['verdict'] === word ? (tags['reviewed'] ?? 'false') : 'false',
    ...(clip.device_id === undefined ? {} : { device_id: clip.device_id }),
  };
  if (Object.entries(wanted).some(([name, value]) => tags[name] !== value))
    await storage.writeTags(place, wanted);
}
