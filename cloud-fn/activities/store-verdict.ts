import { bestFrameBlobName, CONTAINER_CLIPS, parse, verdictBlobName, Verdict } from '@dachawatch/contracts';
import type { PortLog } from '../ports/log.ts';
import { PortFailure } from '../ports/port-failure.ts';
import { json, MAX_DOCUMENT_BYTES, type BlobPlace, type StoragePort } from '../ports/storage.ts';
import { createKeepPicture } from './keep-picture.ts';
import { tagClip } from './tag-clip.ts';

export interface StoreVerdict {
  readonly clip: { readonly blobName: string; readonly device_id?: string };
  readonly verdict: Verdict;
  /** The worker's best frame, in the container of the frames. */
  readonly frame?: string;
}

export interface StoreVerdictDeps {
  readonly storage: Pick<
    StoragePort,
    'createBlob' | 'replaceBlob' | 'writeBlob' | 'readBlob' | 'hasBlob' | 'readTags' | 'writeTags'
  >;
  readonly log: PortLog;
}

const MAX_ROUNDS = 5;
const inClips = (name: string): BlobPlace => ({ container: CONTAINER_CLIPS, name });

/** Stores a verdict beside its clip and tags the clip.
 *  Invariants
 *  1. A stored verdict is replaced by a higher revision only; the stored one is the answer.
 *  2. A picture is named only when it is there.
 *  3. Neither a picture nor a tag that cannot be written keeps a verdict from being stored.
 *  4. Done again, whole or in part, it ends in the same state. */
export function createStoreVerdict({ storage, log }: StoreVerdictDeps) {
  const keepPicture = createKeepPicture({ storage });

  return async ({ clip, verdict, frame }: StoreVerdict): Promise<Verdict> => {
    const clipName = clip.blobName.slice(CONTAINER_CLIPS.length + 1);
    // Orchestrations of the first version leave the picture to us.
    if (frame !== undefined) await unlessItFails(verdict, 'picture', () => keepPicture({ clip, frame }));
    const stored = await storeHighest(clipName, await withPictureThatIsThere(clipName, verdict));
    await unlessItFails(verdict, 'tags', () => tagClip(storage, { clip, verdict: stored }));
    return stored;
  };

  async function unlessItFails(
    { instance_id }: Verdict,
    what: string,
    work: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { message } = error as Error;
      log.warn({ event: 'verdict.incomplete', instanceId: instance_id, what }, message);
    }
  }

  async function withPictureThatIsThere(clipName: string, verdict: Verdict): Promise<Verdict> {
    if (!verdict.best_frame || (await storage.hasBlob(inClips(bestFrameBlobName(clipName))))) return verdict;
    return withoutFrame(verdict);
  }

  async function storeHighest(clipName: string, verdict: Verdict): Promise<Verdict> {
    const place = inClips(verdictBlobName(clipName));
    const document = json(parse(Verdict, verdict));
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const blob = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
      if (!blob) {
        if (await storage.createBlob(place, document)) return verdict;
        continue;
      }
      const existing = readVerdict(blob.bytes);
      if (existing && existing.revision >= verdict.revision) return existing;
      if (await storage.replaceBlob(place, document, blob.etag)) return verdict;
    }
    throw new PortFailure('transient', 'verdict.contended', 'others keep writing this verdict');
  }
}

/** Undefined for what is no verdict: it is replaced. */
export function readVerdict(bytes: Buffer): Verdict | undefined {
  try {
    return parse(Verdict, JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

function withoutFrame(verdict: Verdict): Verdict {
  const { best_frame: _, ...rest } = verdict;
  return rest;
}
