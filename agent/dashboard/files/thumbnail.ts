import { createHash } from 'node:crypto';
import { isJpeg } from '../../capture/capture.ts';
import { openRegular } from '../../kernel/files/regular-file.ts';
import { type Clip, THUMBNAIL_MAX_BYTES, thumbnailOf } from '../../ledger/ledger.ts';
import { type Answer, matchesTag, problem } from '../answer.ts';
import { isGone } from './file-answer.ts';
import type { PageRequest } from '../request-handler.ts';

/** The small picture of a clip, as it stands beside it. It is made once: a browser that has it need not ask again. */
export async function answerThumbnail({ headers }: PageRequest, { file }: Clip): Promise<Answer> {
  const jpeg = await readThumbnail(thumbnailOf(file));
  if (!jpeg) return problem(404, 'no-thumbnail', 'There is no small picture of this clip.');
  const etag = `"${createHash('sha256').update(jpeg).digest('base64url').slice(0, 22)}"`;
  const common = { ETag: etag, 'Cache-Control': 'private, max-age=31536000, immutable' };
  return matchesTag(headers['if-none-match'], etag)
    ? { status: 304, headers: common, body: Buffer.alloc(0) }
    : { status: 200, headers: { ...common, 'Content-Type': 'image/jpeg' }, body: jpeg };
}

/** @returns undefined when there is none, or what stands there is no whole picture of ours
 *  @throws the system's error when it cannot be read */
async function readThumbnail(file: string): Promise<Buffer | undefined> {
  try {
    const handle = await openRegular(file);
    try {
      const { size } = await handle.stat();
      if (size > THUMBNAIL_MAX_BYTES) return undefined;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
      const jpeg = buffer.subarray(0, bytesRead);
      // A power cut may have torn it.
      return isJpeg(jpeg) ? jpeg : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
