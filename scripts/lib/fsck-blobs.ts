/** The part of scripts/fsck that compares the ledger with Blob Storage. */
import { BlobServiceClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS, parseClipBlobName, verdictBlobName } from '@dachawatch/contracts';
import { Failure } from '../../agent/kernel/failure.ts';
import type { Inspection, StoredClip } from '../../agent/ledger/inspect.ts';

export interface BlobProblem {
  readonly clipId: string | null;
  readonly problem: string;
}

const PATIENCE_MS = 60_000;

/** Every clip the ledger calls uploaded is in storage, whole and once; every judged one has its verdict beside it; no
 *  clip lies in storage that the ledger does not know. The rows are read first: storage may only be ahead of them.
 *  @returns undefined when storage does not answer */
export async function checkBlobs(
  ledger: Pick<Inspection, 'storedClips' | 'knows'>,
  connectionString: string,
): Promise<{ checked: number; problems: BlobProblem[] } | undefined> {
  const container = BlobServiceClient.fromConnectionString(connectionString, {
    retryOptions: { maxTries: 1, tryTimeoutInMs: PATIENCE_MS },
  }).getContainerClient(CONTAINER_CLIPS);
  const stored = ledger.storedClips().map((clip) => ({ clip, name: blobNameOf(clip.blobUrl) }));
  const devices = new Set(stored.map(({ name }) => name.split('/')[0] ?? ''));

  const blobs = new Map<string, { bytes: number; sha256: string | undefined }>();
  try {
    for (const device of devices)
      for await (const blob of container.listBlobsFlat({ prefix: `${device}/`, includeMetadata: true }))
        blobs.set(blob.name, {
          bytes: blob.properties.contentLength ?? 0,
          sha256: blob.metadata?.['sha256'],
        });
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    if (statusCode === undefined) return undefined;
    const sentence = `storage refuses to list the clips (HTTP ${statusCode}): ${message.split('\n')[0]}`;
    throw new Failure('rejected', 'fsck.storage', sentence, { cause: error });
  }

  const problems = stored.flatMap(({ clip, name }) =>
    problemsOf(clip, name, blobs).map((problem) => ({ clipId: clip.clipId, problem })),
  );
  for (const name of blobs.keys()) {
    const clipId = parseClipBlobName(name)?.clipId;
    if (clipId !== undefined && !ledger.knows(clipId))
      problems.push({ clipId, problem: `the blob ${name} belongs to no clip of the ledger` });
  }
  return { checked: stored.length, problems };
}

function problemsOf(
  clip: StoredClip,
  name: string,
  blobs: ReadonlyMap<string, { bytes: number; sha256: string | undefined }>,
): string[] {
  const blob = blobs.get(name);
  if (!blob) return [`it is ${clip.state}, but its blob ${name} is not in storage`];
  const problems: string[] = [];
  if (blob.bytes !== clip.bytes) problems.push(`its blob has ${blob.bytes} bytes instead of ${clip.bytes}`);
  if (blob.sha256 !== clip.sha256) problems.push('its blob has another checksum than its file had');
  if (clip.state === 'judged' && !blobs.has(verdictBlobName(name)))
    problems.push('it is judged, but no verdict lies beside its blob');
  return problems;
}

/** Name within the container of the clips. The emulator's addresses carry the account in front. */
function blobNameOf(url: string): string {
  const path = decodeURIComponent(new URL(url).pathname);
  return path.slice(path.indexOf(`/${CONTAINER_CLIPS}/`) + CONTAINER_CLIPS.length + 2);
}
