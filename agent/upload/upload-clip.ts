import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { ClipMetadata, ContractError, parse } from '@dachawatch/contracts';
import { Failure } from '../kernel/failure.ts';
import type { Clip } from '../ledger/ledger.ts';
import type { BlobDoor } from './blob-door.ts';

export const BLOCK_BYTES = 1024 * 1024;

/** Blob metadata of a clip.
 *  @throws Failure `rejected` when the clip cannot be described as the contract asks */
export function metadataOf(clip: Clip, deviceId: string): ClipMetadata {
  try {
    return parse(ClipMetadata, {
      device_id: deviceId,
      camera_id: clip.cameraId,
      clip_id: clip.clipId,
      event_start_utc: new Date(clip.startedMs ?? clip.triggeredMs).toISOString(),
      pre_roll_ms: String(clip.preRollMs ?? 0),
      duration_ms: String(clip.durationMs ?? 0),
      sha256: clip.sha256 ?? '',
      clock_quality: clip.clockQuality,
      schema: 'dachawatch/clip-metadata/1',
    });
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new Failure('rejected', 'upload.metadata', error.message, { cause: error });
  }
}

/** Ids of one length that depend on the content: a block of another file is never taken for one of this. */
export const blockId = (sha256: string, index: number): string =>
  Buffer.from(`${sha256.slice(0, 16)}-${String(index).padStart(6, '0')}`).toString('base64');

export interface Carried {
  /** Was in storage already: nothing was sent. */
  readonly wasThere: boolean;
  readonly blocks: number;
  /** Blocks found staged by an earlier attempt. */
  readonly reused: number;
}

/** Puts a clip into its blob.
 *  Procedure
 *  1. HEAD: the blob with this size and checksum is there, from an attempt whose answer was lost: done
 *  2. list the staged blocks; read the file block by block, send those that are missing
 *  3. the bytes read have the checksum of the ledger, else nothing is committed
 *  4. commit, only if there is no blob
 *  5. HEAD again: size and checksum
 *  A cut anywhere leaves staged blocks, which the next attempt finds, or the whole blob.
 *  @throws Failure `rejected` when another content has the name, `corrupt` when our file is not what was sealed */
export async function carryClip(
  clip: Clip,
  metadata: ClipMetadata,
  door: BlobDoor,
  signal: AbortSignal,
): Promise<Carried> {
  if (await isInStorage(clip, door, signal)) return { wasThere: true, blocks: 0, reused: 0 };
  const staged = await door.stagedBlocks(signal);
  const file = await openClip(clip);
  try {
    const { ids, reused } = await stageBlocks(file, clip, staged, door, signal);
    await door.commit(ids, metadata, signal);
    if (!(await isInStorage(clip, door, signal)))
      throw new Failure('transient', 'upload.not-there', 'the blob was committed, but is not in storage');
    return { wasThere: false, blocks: ids.length, reused };
  } finally {
    await file.close();
  }
}

async function isInStorage(clip: Clip, door: BlobDoor, signal: AbortSignal): Promise<boolean> {
  const found = await door.head(signal);
  if (!found) return false;
  if (found.sha256 === clip.sha256 && found.bytes === clip.bytes) return true;
  throw new Failure(
    'rejected',
    'upload.other-content',
    `storage holds another content under ${clip.blobName}; it is not overwritten`,
  );
}

async function openClip(clip: Clip): Promise<FileHandle> {
  try {
    return await open(clip.file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Failure('corrupt', 'upload.file-missing', `the file of clip ${clip.clipId} is missing`, {
      cause: error,
    });
  }
}

async function stageBlocks(
  file: FileHandle,
  clip: Clip,
  staged: ReadonlyMap<string, number>,
  door: BlobDoor,
  signal: AbortSignal,
): Promise<{ ids: string[]; reused: number }> {
  const sha256 = clip.sha256 ?? '';
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(BLOCK_BYTES);
  const ids: string[] = [];
  let reused = 0;
  for (let at = 0; at < (clip.bytes ?? 0); at += BLOCK_BYTES) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, BLOCK_BYTES, at);
    const block = buffer.subarray(0, bytesRead);
    hash.update(block);
    const id = blockId(sha256, ids.length);
    if (staged.get(id) === bytesRead) reused++;
    else if (bytesRead > 0) await door.stageBlock(id, block, signal);
    ids.push(id);
  }
  if (hash.digest('hex') !== sha256)
    throw new Failure('corrupt', 'upload.file-changed', `the file of clip ${clip.clipId} has changed since`);
  return { ids, reused };
}
