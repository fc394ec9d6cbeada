import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { Failure } from '../kernel/failure.ts';
import { readHeader, readInit, readMoof, type BoxHeader, type TrackInfo } from './boxes.ts';

export interface RecoveredClip {
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** More than any index or fragment of a camera. */
const MAX_BOX_BYTES = 256 * 1024 * 1024;

/** Makes a clip whose writer died playable: cuts what follows the last whole fragment, syncs, hashes.
 *  A fragment is whole when `moof` and `mdat` are complete, its sample sizes add up, and no sample begins with the
 *  zeros of a page that was never written. Running it again changes nothing.
 *  @returns undefined when the file does not exist or no fragment is whole; the file is left as it is then */
export async function recoverTornClip(partFile: string): Promise<RecoveredClip | undefined> {
  let file: FileHandle;
  try {
    file = await open(partFile, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const whole = await lastWholeFragment(file);
    if (!whole) return undefined;
    await file.truncate(whole.bytes);
    await file.sync();
    return { ...whole, sha256: await hashOf(file, whole.bytes) };
  } finally {
    await file.close();
  }
}

async function lastWholeFragment(
  file: FileHandle,
): Promise<{ bytes: number; durationMs: number } | undefined> {
  const { size } = await file.stat();
  let track: TrackInfo | undefined;
  let found: { bytes: number; durationMs: number } | undefined;
  let firstTicks: number | undefined;
  try {
    for (let at = 0; at < size; ) {
      const box = await boxAt(file, at, size);
      if (!box) break;
      if (box.type === 'moov') track = readInit(await bytesOf(file, at, box.bytes));
      at += box.bytes;
      if (box.type !== 'moof' || !track) continue;
      const moof = await bytesOf(file, at - box.bytes, box.bytes);
      const info = readMoof(moof, track);
      const mdat = await boxAt(file, at, size);
      if (!mdat || mdat.type !== 'mdat' || mdat.bytes - mdat.headerBytes !== info.sampleBytes) break;
      if (!(await wasWritten(file, at, mdat))) break;
      at += mdat.bytes;
      firstTicks ??= info.baseTicks;
      const ticks = info.baseTicks + info.durationTicks - firstTicks;
      found = { bytes: at, durationMs: Math.round((ticks * 1000) / track.timescale) };
    }
  } catch (error) {
    // Unreadable boxes are the torn tail this function is for; anything else is not.
    if (!(error instanceof Failure && error.kind === 'corrupt')) throw error;
  }
  return found;
}

/** Header of a box that lies in the file as a whole. */
async function boxAt(file: FileHandle, at: number, size: number): Promise<BoxHeader | undefined> {
  const header = readHeader(await bytesOf(file, at, Math.min(16, size - at)));
  if (!header || header.bytes > MAX_BOX_BYTES || at + header.bytes > size) return undefined;
  return header;
}

/** A power cut can leave a file that is long enough but holds zeros where data was not yet written. Every sample
 *  begins with the length of a NAL unit, which is never 0: the last page and the first bytes must not be zeros. */
async function wasWritten(file: FileHandle, at: number, mdat: BoxHeader): Promise<boolean> {
  const payload = at + mdat.headerBytes;
  const first = await bytesOf(file, payload, 4);
  const tailBytes = Math.min(4096, mdat.bytes - mdat.headerBytes);
  const last = await bytesOf(file, at + mdat.bytes - tailBytes, tailBytes);
  return first.some((byte) => byte !== 0) && last.some((byte) => byte !== 0);
}

async function bytesOf(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function hashOf(file: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
    if (bytesRead === 0)
      throw new Failure('corrupt', 'capture.recover.short', 'The clip shrank while it was read');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest('hex');
}
