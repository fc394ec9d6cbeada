/** The part of scripts/fsck that compares the ledger with Blob Storage. */
import { createHash } from 'node:crypto';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS, parseClipBlobName, verdictBlobName } from '@dachawatch/contracts';
import { Failure } from '../../../agent/kernel/failure.ts';
import type { Inspection, StoredClip } from '../../../agent/ledger/check/inspect.ts';

export interface BlobProblem {
  readonly clipId: string | null;
  readonly problem: string;
}

const PATIENCE_MS = 60_000;
/** Longest that the bytes of one blob may take. */
const READ_PATIENCE_MS = 30 * 60_000;
const READ_AT_ONCE = 4;
const SAY_EVERY_MS = 5_000;

export interface BlobsChecked {
  readonly checked: number;
  /** Blobs whose bytes were read and compared; absent when nobody asked for it. */
  readonly read?: number;
  /** Blobs in the archive tier, whose bytes cannot be read; absent when nobody asked for it. */
  readonly archived?: number;
  readonly problems: BlobProblem[];
}

export interface BlobCheckOptions {
  /** Also reads every blob: its size and what is written beside it say nothing about its bytes. */
  readonly deep: boolean;
  /** Takes a line about work that lasts. */
  readonly say: (line: string) => void;
}

/** Every clip the ledger calls uploaded is in storage, whole and once; every judged one has its verdict beside it; no
 *  clip lies in storage that the ledger does not know. The rows are read first: storage may only be ahead of them.
 *  @returns undefined when storage does not answer */
export async function checkBlobs(
  ledger: Pick<Inspection, 'storedClips' | 'knows'>,
  connectionString: string,
  { deep, say }: BlobCheckOptions,
): Promise<BlobsChecked | undefined> {
  const container = BlobServiceClient.fromConnectionString(connectionString, {
    retryOptions: { maxTries: 1, tryTimeoutInMs: PATIENCE_MS },
  }).getContainerClient(CONTAINER_CLIPS);
  const stored = ledger.storedClips().map((clip) => ({ clip, name: blobNameOf(clip.blobUrl) }));
  const devices = new Set(stored.map(({ name }) => name.split('/')[0] ?? ''));

  const blobs = new Map<string, ListedBlob>();
  try {
    for (const device of devices)
      for await (const blob of container.listBlobsFlat({ prefix: `${device}/`, includeMetadata: true }))
        blobs.set(blob.name, {
          bytes: blob.properties.contentLength ?? 0,
          sha256: blob.metadata?.['sha256'],
          archived: blob.properties.accessTier === 'Archive',
        });
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    if (statusCode === undefined) return undefined;
    const sentence = `storage refuses to list the clips (HTTP ${statusCode}): ${message.split('\n')[0]}`;
    throw new Failure('rejected', 'fsck.storage', sentence, { cause: error });
  }

  const problems: BlobProblem[] = [];
  const sound: StoredBlob[] = [];
  for (const one of stored) {
    const found = problemsOf(one.clip, one.name, blobs);
    problems.push(...found.map((problem) => ({ clipId: one.clip.clipId, problem })));
    if (found.length === 0) sound.push(one);
  }
  for (const name of blobs.keys()) {
    const clipId = parseClipBlobName(name)?.clipId;
    if (clipId !== undefined && !ledger.knows(clipId))
      problems.push({ clipId, problem: `the blob ${name} belongs to no clip of the ledger` });
  }
  if (!deep) return { checked: stored.length, problems };
  const readable = sound.filter(({ name }) => blobs.get(name)?.archived === false);
  problems.push(...(await readAll(container, readable, say)));
  return {
    checked: stored.length,
    read: readable.length,
    archived: sound.length - readable.length,
    problems,
  };
}

interface ListedBlob {
  readonly bytes: number;
  readonly sha256: string | undefined;
  readonly archived: boolean;
}

interface StoredBlob {
  readonly clip: StoredClip;
  readonly name: string;
}

/** Reads so many blobs at a time, a piece after the other: memory is bounded, whatever their size. */
async function readAll(
  container: ContainerClient,
  blobs: readonly StoredBlob[],
  say: (line: string) => void,
): Promise<BlobProblem[]> {
  const problems: BlobProblem[] = [];
  const total = blobs.reduce((sum, { clip }) => sum + clip.bytes, 0);
  let blobsRead = 0;
  let bytesRead = 0;
  const soFar = () =>
    say(`${blobsRead} of ${blobs.length} blobs read, ${megabytes(bytesRead)} of ${megabytes(total)}`);
  const saying = setInterval(soFar, SAY_EVERY_MS);
  const queue = blobs.values();
  async function readSome(): Promise<void> {
    for (const { clip, name } of queue) {
      const problem = await contentProblem(container, clip, name, (bytes) => {
        bytesRead += bytes;
      });
      blobsRead++;
      if (problem !== undefined) problems.push({ clipId: clip.clipId, problem });
    }
  }
  soFar();
  try {
    await Promise.all(Array.from({ length: READ_AT_ONCE }, readSome));
  } finally {
    clearInterval(saying);
  }
  return problems;
}

async function contentProblem(
  container: ContainerClient,
  clip: StoredClip,
  name: string,
  onBytes: (bytes: number) => void,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const answer = await container
      .getBlobClient(name)
      .download(0, undefined, { abortSignal: AbortSignal.timeout(READ_PATIENCE_MS), maxRetryRequests: 3 });
    for await (const part of answer.readableStreamBody ?? []) {
      hash.update(part as Buffer);
      onBytes((part as Buffer).length);
    }
  } catch (error) {
    return `its blob could not be read: ${(error as Error).message.split('\n')[0]}`;
  }
  return hash.digest('hex') === clip.sha256
    ? undefined
    : 'its blob holds other bytes than its file had, although the right checksum is written beside it';
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function problemsOf(clip: StoredClip, name: string, blobs: ReadonlyMap<string, ListedBlob>): string[] {
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
