import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bestFrameBlobName } from '@dachawatch/contracts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Log, redact } from '../kernel/log.ts';
import { moveAsideUnlessFile } from '../kernel/files/move-aside.ts';
import type { Clip, Ledger } from '../ledger/ledger.ts';
import type { OpenBlob } from './ticket-blob-client.ts';
import { ONLY_READ, type Tickets } from './tickets.ts';

const FRAME_MAX_BYTES = 8 * 1024 * 1024;
/** A page asks for the same picture again and again: after a failure storage is left in peace for so long. */
const QUIET_AFTER_FAILURE_MS = 30_000;
const FAILURES_KEPT = 500;

export interface Frames {
  /** File with the annotated best frame of a judged clip; undefined when there is none, or none can be had now. */
  bestFrame(clipId: string, signal: AbortSignal): Promise<string | undefined>;
}

export interface FramesDeps {
  readonly ledger: Pick<Ledger, 'clip'>;
  readonly tickets: Tickets;
  readonly openBlob: OpenBlob;
  readonly online: () => boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  readonly dir: string;
  /** Most pictures kept; the one fetched longest ago goes first. */
  readonly kept: number;
}

/** Pictures fetched when first asked for, kept in a folder of bounded size. Calls at the same time share one fetch. */
export function createFrames(deps: FramesDeps): Frames {
  const { ledger, tickets, openBlob, online, clock, log, dir, kept } = deps;
  const underWay = new Map<string, Promise<string | undefined>>();
  const failedAt = new Map<string, number>();
  /** One at a time: half-written pictures that lie around are left over, and age out with the others. */
  let keeping: Promise<void> = Promise.resolve();

  async function fetchFrame(clip: Clip, file: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const picture = await tickets.use(
        bestFrameBlobName(clip.blobName),
        ONLY_READ,
        signal,
        (ticket, calmly) => openBlob(ticket).read(FRAME_MAX_BYTES, calmly),
      );
      if (picture && isJpeg(picture)) {
        // What failed for the picture before was told to whoever asked for that one.
        keeping = keeping.catch(() => undefined).then(() => keep(file, picture));
        await keeping;
        failedAt.delete(clip.clipId);
        return file;
      }
      log.warn(
        { event: 'frame.unusable', clipId: clip.clipId, bytes: picture?.length ?? null },
        picture
          ? 'the best frame in storage is not a JPEG'
          : 'the verdict names a best frame that storage lacks',
      );
    } catch (error) {
      const failure = classify(error, 'upload.frame');
      if (failure.kind === 'bug') throw failure;
      log.warn(
        { event: 'frame.fetch-failed', clipId: clip.clipId, code: failure.code },
        `the best frame could not be read: ${redact(failure.message)}`,
      );
    }
    failedAt.set(clip.clipId, clock.monotonicMs());
    if (failedAt.size > FAILURES_KEPT) failedAt.delete(failedAt.keys().next().value ?? '');
    return undefined;
  }

  async function keep(file: string, picture: Buffer): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const path of [file, `${file}.tmp`]) moveAsideUnlessFile(path);
    await writeFile(`${file}.tmp`, picture);
    await rename(`${file}.tmp`, file);
    const names = await readdir(dir);
    if (names.length <= kept) return;
    const looked = await Promise.all(
      names.map(async (name) => {
        const entry = await lstat(join(dir, name));
        return { name, at: entry.mtimeMs, isFile: entry.isFile() };
      }),
    );
    const aged = looked.filter(({ isFile }) => isFile);
    const surplus = aged.toSorted((a, b) => a.at - b.at).slice(0, names.length - kept);
    for (const { name } of surplus) await rm(join(dir, name), { force: true });
  }

  return {
    async bestFrame(clipId, signal) {
      const clip = ledger.clip(clipId);
      if (!clip?.verdict?.best_frame) return undefined;
      const file = join(dir, `${clipId}.${clip.verdict.revision}.jpg`);
      if (existsSync(file)) return file;
      const failed = failedAt.get(clipId);
      if (!online() || (failed !== undefined && clock.monotonicMs() - failed < QUIET_AFTER_FAILURE_MS))
        return undefined;
      let fetching = underWay.get(clipId);
      if (!fetching) {
        fetching = fetchFrame(clip, file, signal).finally(() => underWay.delete(clipId));
        underWay.set(clipId, fetching);
      }
      return fetching;
    },
  };
}

const isJpeg = (bytes: Buffer) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
