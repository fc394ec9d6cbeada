import { createHash } from 'node:crypto';
import { ClipMetadata, ContractError, parse } from '@dachawatch/contracts';
import { Failure } from '../kernel/failure.ts';
import type { Clip } from '../ledger/ledger.ts';
import type { TicketBlobClient, BlobProperties } from './ticket-blob-client.ts';
import { BLOCK_BYTES, type ClipReader, openClip } from './clip-reader.ts';

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
    // A time that no calendar has is a RangeError.
    if (!(error instanceof ContractError || error instanceof RangeError)) throw error;
    throw new Failure('rejected', 'upload.metadata', error.message, { cause: error });
  }
}

/** Names a block by its bytes and its place: one that was read wrongly has another name than the right one.
 *  All ids of a blob must have one length. It is that of the ids an older version staged, which never come out here:
 *  they began with sixteen digits and letters of the whole clip's checksum. */
export function blockId(block: Uint8Array, index: number): string {
  const sha256 = createHash('sha256').update(block).digest('hex');
  return Buffer.from(`${String(index).padStart(6, '0')}+${sha256.slice(0, 16)}`).toString('base64');
}

/** What custody says when a failed attempt has found out that storage does not have the clip; undefined when it has not.
 *  Its file is opened only after storage has said so. */
export function absenceIn({ kind, code }: Failure): string | undefined {
  if (kind === 'corrupt' && code.startsWith('upload.file-')) return 'storage has no blob of its name';
  return code === OTHER_CONTENT ? 'storage has another content under its name' : undefined;
}

const OTHER_CONTENT = 'upload.other-content';

export interface Carried {
  /** Was in storage already: nothing was sent. */
  readonly wasThere: boolean;
  readonly blocks: number;
  /** Blocks found staged by an earlier attempt. */
  readonly reused: number;
}

/** Puts a clip into its blob.
 *  Procedure
 *  1. HEAD: the blob is there, from an attempt whose answer was lost. It is read back; the bytes have the checksum of
 *     the ledger: done. In the archive tier they cannot be read: the hash beside them is that of our file: done
 *  2. list the staged blocks; read the file block by block, send those that are missing
 *  3. the bytes read have the checksum of the ledger, else nothing is committed
 *  4. commit, only if there is no blob
 *  5. HEAD again: size, checksum, and the hash of the content that was committed
 *  A cut anywhere leaves staged blocks, which the next attempt finds, or the whole blob.
 *  @param fresh reads the file past the system's cache
 *  @throws Failure `rejected` when another content has the name, or one that cannot be compared; `corrupt` when our file
 *    is not what was sealed, and only when storage has no such blob */
export async function carryClip(
  clip: Clip,
  metadata: ClipMetadata,
  blob: TicketBlobClient,
  signal: AbortSignal,
  fresh: boolean,
): Promise<Carried> {
  const before = await blob.head(signal);
  if (before) {
    const md5 = before.archived ? await ownMd5(clip, fresh, signal) : null;
    await requireContent(clip, before, md5, blob, signal);
    return { wasThere: true, blocks: 0, reused: 0 };
  }
  const staged = await blob.stagedBlocks(signal);
  const file = await openClip(clip, fresh);
  try {
    const { ids, reused, md5 } = await stageBlocks(file, clip, staged, blob, signal);
    await blob.commit(ids, metadata, md5, signal);
    const after = await blob.head(signal);
    if (!after)
      throw new Failure('transient', 'upload.not-there', 'the blob was committed, but is not in storage');
    await requireContent(clip, after, md5.toString('hex'), blob, signal);
    return { wasThere: false, blocks: ids.length, reused };
  } finally {
    await file.close();
  }
}

/** @param md5 of our bytes; null: not known. When storage does not show the same, the blob is read back: what is written
 *    beside the bytes may be missing (an older version) or wrong
 *  @throws Failure `rejected` when storage holds something else, or it cannot be known */
async function requireContent(
  clip: Clip,
  found: BlobProperties,
  md5: string | null,
  blob: TicketBlobClient,
  signal: AbortSignal,
): Promise<void> {
  const other = (what: string) =>
    new Failure(
      'rejected',
      OTHER_CONTENT,
      `storage holds another content under ${clip.blobName} (${what}); it is not overwritten`,
    );
  if (found.bytes !== clip.bytes) throw other(`${found.bytes} bytes instead of ${clip.bytes}`);
  if (found.sha256 !== clip.sha256) throw other('another checksum is written beside it');
  if (md5 !== null && found.md5 === md5) return;
  if (found.archived)
    throw new Failure(
      'rejected',
      'upload.archived',
      `${clip.blobName} lies in the archive tier of storage with the size and the checksum of the clip, and its bytes ` +
        'cannot be compared: change its tier to hot or cool, and it is looked at again',
    );
  const sha256 = await blob.contentSha256(signal);
  if (sha256 === undefined)
    throw new Failure('transient', 'upload.not-there', 'the blob was in storage, and is gone again');
  if (sha256 !== clip.sha256) throw other('its bytes do not have the checksum that is written beside them');
}

async function stageBlocks(
  file: ClipReader,
  clip: Clip,
  staged: ReadonlyMap<string, number>,
  blob: TicketBlobClient,
  signal: AbortSignal,
): Promise<{ ids: string[]; reused: number; md5: Buffer }> {
  const ids: string[] = [];
  let reused = 0;
  const md5 = await readThrough(file, clip, signal, async (block) => {
    const id = blockId(block, ids.length);
    if (staged.get(id) === block.length) reused++;
    else if (block.length > 0) await blob.stageBlock(id, block, signal);
    ids.push(id);
  });
  return { ids, reused, md5 };
}

/** Of the clip's file; null when it cannot be read, or is not what was sealed. */
async function ownMd5(clip: Clip, fresh: boolean, signal: AbortSignal): Promise<string | null> {
  try {
    const file = await openClip(clip, fresh);
    try {
      return (await readThrough(file, clip, signal, async () => undefined)).toString('hex');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Failure && error.kind === 'corrupt') return null;
    throw error;
  }
}

/** Reads a clip's file to its end, block by block.
 *  @returns the MD5 of its bytes
 *  @throws Failure `corrupt` when they are not what was sealed */
async function readThrough(
  file: ClipReader,
  clip: Clip,
  signal: AbortSignal,
  onBlock: (block: Buffer) => Promise<void>,
): Promise<Buffer> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  for (let at = 0; at < (clip.bytes ?? 0); at += BLOCK_BYTES) {
    signal.throwIfAborted();
    const block = await file.block(at);
    sha256.update(block);
    md5.update(block);
    await onBlock(block);
  }
  if (sha256.digest('hex') !== clip.sha256)
    throw new Failure('corrupt', 'upload.file-changed', `the file of clip ${clip.clipId} has changed since`);
  return md5.digest();
}
