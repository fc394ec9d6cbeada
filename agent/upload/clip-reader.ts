import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { classify } from '../kernel/classify.ts';
import { withDeadline } from '../kernel/waiting/deadline.ts';
import { Failure } from '../kernel/failure.ts';
import type { Clip } from '../ledger/ledger.ts';

export const BLOCK_BYTES = 1024 * 1024;
const WASM_PAGE_BYTES = 65_536;
/** A disk that does not answer must not hold the uploader: a block of a dying card takes seconds. */
const DISK_MS = 60_000;

export interface ClipReader {
  /** The bytes from `at` on, `BLOCK_BYTES` of them or what is left of the clip. Valid until the next call.
   *  @throws Failure `corrupt` when the file cannot be read there, `exhausted` */
  block(at: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens a clip's file to read it block by block.
 *  @param fresh reads from the disk itself: what was read wrongly once stays wrong in the system's cache. File systems
 *    that cannot (those in memory) are read as usual
 *  @throws Failure `corrupt` when there is no file that can be read, `transient` when the disk does not answer,
 *    `exhausted` */
export async function openClip(clip: Clip, fresh: boolean): Promise<ClipReader> {
  const unreadable = (error: unknown): Failure => {
    if (error instanceof Failure) return error;
    const { kind, message } = classify(error, 'upload.file');
    if (kind === 'exhausted') return classify(error, 'upload.file');
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return new Failure(
      'corrupt',
      missing ? 'upload.file-missing' : 'upload.file-unreadable',
      missing
        ? `the file of clip ${clip.clipId} is missing`
        : `the file of clip ${clip.clipId} cannot be read: ${message}`,
      { cause: error },
    );
  };
  try {
    const file = await inTime(openFile(clip, fresh));
    return {
      async block(at) {
        try {
          return await inTime(readBlock(file, Math.min(BLOCK_BYTES, (clip.bytes ?? 0) - at), at));
        } catch (error) {
          throw unreadable(error);
        }
      },
      close: () => inTime(file.handle.close()),
    };
  } catch (error) {
    throw unreadable(error);
  }
}

const inTime = <T>(work: Promise<T>): Promise<T> =>
  withDeadline(work, DISK_MS, 'the disk of the clips', 'upload.file-slow');

interface OpenFile {
  readonly handle: FileHandle;
  readonly buffer: Buffer;
}

async function openFile({ clipId, file: path }: Clip, fresh: boolean): Promise<OpenFile> {
  // To open a pipe is to wait for its writer, for ever.
  if (!(await stat(path)).isFile())
    throw new Failure(
      'corrupt',
      'upload.file-unreadable',
      `the file of clip ${clipId} cannot be read: it is none`,
    );
  if (!fresh) return { handle: await open(path, 'r'), buffer: Buffer.alloc(BLOCK_BYTES) };
  // Past the cache the system reads into whole pages of memory only; Node's own buffers do not begin at one.
  const memory = new WebAssembly.Memory({ initial: BLOCK_BYTES / WASM_PAGE_BYTES });
  const buffer = Buffer.from(memory.buffer);
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECT);
    try {
      await handle.read(buffer, 0, BLOCK_BYTES, 0);
      return { handle, buffer };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return { handle: await open(path, 'r'), buffer };
  }
}

/** A file that ends early gives what there is: its checksum will tell. */
async function readBlock({ handle, buffer }: OpenFile, bytes: number, at: number): Promise<Buffer> {
  let have = 0;
  while (have < bytes) {
    // Whole blocks, also at the end: past the cache nothing else may be asked for.
    const { bytesRead } = await handle.read(buffer, have, BLOCK_BYTES - have, at + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return buffer.subarray(0, Math.min(have, bytes));
}
