import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const HEADER_BYTES = 8;
/** What an init segment may hold below its `moov`: how pictures are coded, and none of them. */
const IN_MOOV: ReadonlySet<string> = new Set(['mvhd', 'trak', 'mvex', 'udta']);

/** Whether nothing that was recorded is in a file: no byte but zeros, which are blocks that were never written, or a
 *  whole init segment and no byte but zeros behind it. */
export async function holdsNothing(file: string): Promise<boolean> {
  for await (const chunk of createReadStream(file, {
    start: await endOfInit(file),
    highWaterMark: 1 << 20,
  })) {
    const bytes = chunk as Buffer;
    if (!bytes.equals(Buffer.alloc(bytes.length))) return false;
  }
  return true;
}

/** Where the init segment ends with which a file begins; 0 when it does not begin with a whole one. A `moov` that does
 *  not end where its last box does is none: with a damaged size it would take what was recorded for a part of itself. */
async function endOfInit(file: string): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const ftyp = await boxAt(handle, 0, size);
    if (ftyp?.type !== 'ftyp') return 0;
    const moov = await boxAt(handle, ftyp.end, size);
    if (moov?.type !== 'moov') return 0;
    let at = ftyp.end + HEADER_BYTES;
    while (at < moov.end) {
      const inside = await boxAt(handle, at, moov.end);
      if (!inside || !IN_MOOV.has(inside.type)) return 0;
      at = inside.end;
    }
    return moov.end;
  } finally {
    await handle.close();
  }
}

/** @returns undefined when no whole box stands there that ends before `limit` */
async function boxAt(
  handle: FileHandle,
  at: number,
  limit: number,
): Promise<{ readonly type: string; readonly end: number } | undefined> {
  const header = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, at);
  const bytes = header.readUInt32BE(0);
  if (bytesRead < HEADER_BYTES || bytes < HEADER_BYTES || at + bytes > limit) return undefined;
  return { type: header.toString('latin1', 4), end: at + bytes };
}
