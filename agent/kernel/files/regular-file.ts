import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../failure.ts';

/** A link leads elsewhere, and to open a pipe is to wait for its writer, for ever. */
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** Opens a file of ours to read it: a regular one, under exactly this name.
 *  @throws Failure `corrupt` `file.not-regular` for a link, a pipe, a folder or a device; else the system's errors */
export async function openRegular(file: string): Promise<FileHandle> {
  const handle = await open(file, FLAGS).catch((error: unknown) => {
    throw isLink(error) ? notRegular(file) : error;
  });
  try {
    requireFile(file, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads a small file of ours whole, as text.
 *  @param maxBytes one that is larger is not ours: it was damaged, or somebody put it there
 *  @throws as `openRegular`; Failure `corrupt` `file.too-large` */
export function readSmallText(file: string, maxBytes: number): string {
  const fd = openOrRefuse(file);
  try {
    const stats = fstatSync(fd);
    requireFile(file, stats);
    if (stats.size > maxBytes)
      throw new Failure(
        'corrupt',
        'file.too-large',
        `${file} has ${stats.size} bytes; no more than ${maxBytes} are read`,
      );
    const bytes = Buffer.alloc(stats.size);
    let length = 0;
    for (let more = -1; more !== 0 && length < bytes.length; length += more)
      more = readSync(fd, bytes, length, bytes.length - length, length);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}

function openOrRefuse(file: string): number {
  try {
    return openSync(file, FLAGS);
  } catch (error) {
    throw isLink(error) ? notRegular(file) : error;
  }
}

const isLink = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ELOOP';

function requireFile(file: string, stats: Stats): void {
  if (!stats.isFile()) throw notRegular(file);
}

const notRegular = (file: string) =>
  new Failure(
    'corrupt',
    'file.not-regular',
    `${file} is not read: it is a link, a pipe, a folder or a device`,
  );
