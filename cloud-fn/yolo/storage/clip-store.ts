import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BlobServiceClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS, CONTAINER_FRAMES } from '@dachawatch/contracts';
import { ClipProblem } from '../clip-problem.ts';
import { makeIfAllowed } from './account.ts';

/** Ten minutes of the best stream a camera of ours has. */
const MAX_CLIP_BYTES = 1024 ** 3;
const DOWNLOAD_DEADLINE_MS = 180_000;
const UPLOAD_DEADLINE_MS = 60_000;

export interface ClipStore {
  /** Blob endpoint of the account. */
  readonly url: string;
  prepare(): Promise<void>;
  /** @returns how long the clip is by its metadata; undefined when they do not tell
   *  @throws ClipProblem */
  download(
    path: string,
    file: string,
    signal: AbortSignal,
  ): Promise<{ readonly durationMs: number | undefined }>;
  /** @throws ClipProblem */
  putFrame(path: string, jpeg: Buffer, signal: AbortSignal): Promise<void>;
  /** Keeps a message nobody could read. @returns container and path */
  keepText(name: string, text: string): Promise<string>;
}

export function createClipStore(
  blobs: BlobServiceClient,
  { maxClipBytes = MAX_CLIP_BYTES }: { maxClipBytes?: number } = {},
): ClipStore {
  const clips = blobs.getContainerClient(CONTAINER_CLIPS);
  const frames = blobs.getContainerClient(CONTAINER_FRAMES);

  async function prepare(): Promise<void> {
    const abortSignal = AbortSignal.timeout(UPLOAD_DEADLINE_MS);
    await makeIfAllowed(() => frames.createIfNotExists({ abortSignal }));
  }

  async function download(path: string, file: string, signal: AbortSignal) {
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_DEADLINE_MS)]);
    try {
      const response = await clips.getBlobClient(path).download(0, undefined, { abortSignal });
      const { contentLength = 0, readableStreamBody } = response;
      if (!readableStreamBody) throw new Error('the answer has no body');
      if (contentLength > maxClipBytes) {
        (readableStreamBody as NodeJS.ReadableStream & { destroy?: () => void }).destroy?.();
        throw tooLarge();
      }
      await pipeline(readableStreamBody, atMost(maxClipBytes), createWriteStream(file), {
        signal: abortSignal,
      });
      return { durationMs: durationOf(response.metadata) };
    } catch (error) {
      signal.throwIfAborted();
      throw asClipProblem(error, 'clip.download', 'the clip could not be downloaded');
    }
  }

  /** A length that was announced wrongly must not fill the disk. */
  function atMost(limit: number): Transform {
    let size = 0;
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        if (size > limit) done(tooLarge());
        else done(null, chunk);
      },
    });
  }

  const tooLarge = () =>
    new ClipProblem('clip.too-large', `the clip is larger than ${maxClipBytes} bytes`, { final: true });

  async function putFrame(path: string, jpeg: Buffer, signal: AbortSignal): Promise<void> {
    try {
      await frames.getBlockBlobClient(path).uploadData(jpeg, {
        blobHTTPHeaders: { blobContentType: 'image/jpeg', blobCacheControl: 'no-cache' },
        abortSignal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_DEADLINE_MS)]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw asClipProblem(error, 'frame.upload', 'the annotated frame could not be stored');
    }
  }

  async function keepText(name: string, text: string): Promise<string> {
    const path = `unreadable/${name}`;
    await frames.getBlockBlobClient(path).uploadData(Buffer.from(text), {
      blobHTTPHeaders: { blobContentType: 'text/plain; charset=utf-8' },
      abortSignal: AbortSignal.timeout(UPLOAD_DEADLINE_MS),
    });
    return `${CONTAINER_FRAMES}/${path}`;
  }

  return { url: blobs.url, prepare, download, putFrame, keepText };
}

/** `duration_ms` of the contract `clip-metadata/1`; a clip from elsewhere has none. */
function durationOf(metadata: Readonly<Record<string, string>> | undefined): number | undefined {
  const text = metadata?.['duration_ms'];
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

function asClipProblem(error: unknown, code: string, what: string): ClipProblem {
  if (error instanceof ClipProblem) return error;
  const {
    statusCode,
    code: detail,
    message,
  } = error as { statusCode?: number; code?: string; message: string };
  if (statusCode === 404)
    // Not final at once: storage may announce a blob a moment before every replica has it.
    return new ClipProblem('clip.missing', 'the clip is not in storage', { final: false, cause: error });
  return new ClipProblem(code, `${what}: ${detail ?? message}`, { final: false, cause: error });
}
