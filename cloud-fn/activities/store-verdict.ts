import {
  bestFrameBlobName,
  CONTAINER_CLIPS,
  CONTAINER_FRAMES,
  parse,
  verdictBlobName,
  Verdict,
} from '@dachawatch/contracts';
import { PortFailure } from '../ports/port-failure.ts';
import { json, MAX_DOCUMENT_BYTES, type BlobPlace, type StoragePort } from '../ports/storage.ts';

export interface StoreVerdict {
  readonly clip: { readonly blobName: string; readonly device_id?: string };
  readonly verdict: Verdict;
  /** The worker's best frame, in the container of the frames. */
  readonly frame?: string;
}

type StoreVerdictStorage = Pick<
  StoragePort,
  'createBlob' | 'replaceBlob' | 'writeBlob' | 'readBlob' | 'readTags' | 'writeTags'
>;

const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const MAX_ROUNDS = 5;
const inClips = (name: string): BlobPlace => ({ container: CONTAINER_CLIPS, name });

/** Stores a verdict beside its clip, a copy of the best frame with it, and tags the clip.
 *  Invariants
 *  1. A stored verdict is replaced by a higher revision only; the stored one is the answer.
 *  2. The picture is there before the verdict that names it.
 *  3. Done again, whole or in part, it ends in the same state. */
export function createStoreVerdict({ storage }: { readonly storage: StoreVerdictStorage }) {
  return async ({ clip, verdict, frame }: StoreVerdict): Promise<Verdict> => {
    const clipName = clip.blobName.slice(CONTAINER_CLIPS.length + 1);
    const copied = frame !== undefined && (await copyFrame(frame, bestFrameBlobName(clipName)));
    const stored = await storeHighest(clipName, copied ? verdict : withoutFrame(verdict));
    await tag(inClips(clipName), stored, clip.device_id);
    return stored;
  };

  /** False when there is no such picture: the verdict counts without it. */
  async function copyFrame(frame: string, to: string): Promise<boolean> {
    const prefix = `${CONTAINER_FRAMES}/`;
    const name = frame.startsWith(prefix) ? frame.slice(prefix.length) : frame;
    const picture = await storage.readBlob({ container: CONTAINER_FRAMES, name }, MAX_FRAME_BYTES);
    if (!picture) return false;
    await storage.writeBlob(inClips(to), { bytes: picture.bytes, contentType: 'image/jpeg' });
    return true;
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

  /** Other tags stay. `reviewed` goes back to false when the verdict a person reviewed is no longer the verdict. */
  async function tag(place: BlobPlace, verdict: Verdict, deviceId: string | undefined): Promise<void> {
    const word = verdict.verdict === 'nothing' ? 'safe' : verdict.verdict;
    const tags = await storage.readTags(place);
    if (!tags) return; // The clip itself is gone, by hand or by a lifetime rule of storage.
    const reviewed = tags['verdict'] === word ? (tags['reviewed'] ?? 'false') : 'false';
    await storage.writeTags(place, {
      ...tags,
      verdict: word,
      reviewed,
      ...(deviceId === undefined ? {} : { device_id: deviceId }),
    });
  }
}

/** Undefined for what is no verdict: it is replaced. */
function readVerdict(bytes: Buffer): Verdict | undefined {
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
