import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../kernel/failure.ts';
import { openRegular } from '../../kernel/files/regular-file.ts';
import { matchesTag, problem, type Answer } from '../answer.ts';
import { parseRange } from './byte-range.ts';
import type { FileAnswer, PageRequest } from '../request-handler.ts';

/** A reader that takes nothing for so long is gone. A browser that paused asks again for the rest. */
const STALLED_MS = 60_000;

/** How a connection ends when the browser seeks, or its user leaves: its right, and nothing to report. */
const READER_LEFT = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_UNABLE_TO_PIPE',
  'ECONNRESET',
  'EPIPE',
]);

export interface FileToSend {
  readonly file: string;
  readonly type: string;
  /** Sentence for a person when the file is not there any more. */
  readonly gone: string;
  /** Names these bytes for ever, when the caller knows such a name. */
  readonly tag: string | null;
}

export interface FileSender {
  /** The file, or what the request asked of it; a problem when it is gone or too many are being sent. */
  answer(request: PageRequest, wanted: FileToSend): Promise<Answer | FileAnswer>;
}

/** Sends files of the appliance, at most `limit` at once: a phone that opens everything, or a flood, must not
 *  take the recorder's file descriptors.
 *  Invariant: every opened file is closed, sent or not. */
export function createFileSender(limit: number): FileSender {
  let busy = 0;

  async function answer(request: PageRequest, wanted: FileToSend): Promise<Answer | FileAnswer> {
    if (busy >= limit)
      return problem(503, 'busy', 'Too many clips are being sent at once; try again in a moment.', {
        'Retry-After': '2',
      });
    busy += 1;
    let handle: FileHandle | undefined;
    const release = async () => {
      busy -= 1;
      await handle?.close();
    };
    try {
      handle = await openRegular(wanted.file);
      const found = await describe(handle, request, wanted);
      if ('send' in found) return { ...found, release };
      await release();
      return found;
    } catch (error) {
      await release();
      if (isGone(error)) return problem(410, 'gone', wanted.gone);
      throw error;
    }
  }

  return { answer };
}

/** Whatever else stands under its name is not the file. */
export const isGone = (error: unknown) =>
  (error as NodeJS.ErrnoException).code === 'ENOENT' ||
  (error instanceof Failure && error.code === 'file.not-regular');

async function describe(
  handle: FileHandle,
  { method, headers }: PageRequest,
  { type, tag }: FileToSend,
): Promise<Answer | Omit<FileAnswer, 'release'>> {
  const { size, mtimeMs } = await handle.stat();
  const etag = `"${tag ?? `${size}-${Math.trunc(mtimeMs)}`}"`;
  const common = { 'Accept-Ranges': 'bytes', ETag: etag, 'Cache-Control': 'private, max-age=86400' };
  if (matchesTag(headers['if-none-match'], etag))
    return { status: 304, headers: common, body: Buffer.alloc(0) };
  // If-Range with another tag: the browser holds a part of other bytes, so it needs all of these.
  const partial = method === 'GET' && (headers['if-range'] ?? etag) === etag;
  const range = parseRange(partial ? headers.range : undefined, size);
  if (range === 'unsatisfiable')
    return problem(416, 'range', `This file has ${size} bytes; the range asked for lies behind its end.`, {
      'Content-Range': `bytes */${size}`,
    });
  const { first, last } = range === 'all' ? { first: 0, last: size - 1 } : range;
  const contentRange = range === 'all' ? {} : { 'Content-Range': `bytes ${first}-${last}/${size}` };
  return {
    status: range === 'all' ? 200 : 206,
    headers: { ...common, ...contentRange, 'Content-Type': type, 'Content-Length': last - first + 1 },
    send: (response) => sendBytes(handle, first, last, response),
  };
}

async function sendBytes(
  handle: FileHandle,
  first: number,
  last: number,
  response: ServerResponse,
): Promise<void> {
  if (last < first) {
    response.end();
    return;
  }
  response.setTimeout(STALLED_MS, () => response.destroy());
  try {
    await pipeline(handle.createReadStream({ start: first, end: last, autoClose: false }), response);
  } catch (error) {
    if (!READER_LEFT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
