import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { classify } from '../kernel/classify.ts';
import { Failure } from '../kernel/failure.ts';
import { rewriteMoof } from './boxes.ts';
import type { Fragment } from './fragment-reader.ts';

export interface ClosedClip {
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ClipWriter {
  /** Queues a fragment. Without effect after a failure or after `close`. */
  append(fragment: Fragment): void;
  /** Waits for the queue, fsyncs, closes the file.
   *  @throws Failure of the disk: what was synced before it stays in the file */
  close(): Promise<ClosedClip>;
}

export interface ClipWriterDeps {
  /** Must not exist yet; its folder must. */
  readonly file: string;
  readonly init: Buffer;
  readonly timescale: number;
  /** Most bytes that may wait for the disk. */
  readonly maxQueuedBytes: number;
  /** Called once, as soon as nothing more can be written. */
  onFailure(failure: Failure): void;
  /** Opens the file; another one in tests of a disk that fails. */
  readonly openFile?: (file: string) => Promise<Pick<FileHandle, 'writev' | 'datasync' | 'sync' | 'close'>>;
}

/** Writes one clip.
 *  Invariants
 *  1. The first fragment begins with a key frame and its time becomes 0; samples are written as they came.
 *  2. After each fragment the file is synced: a cut loses at most the fragment being written.
 *  3. The folder entry is synced before the first fragment.
 *  4. The SHA-256 covers exactly the bytes of the closed file. */
export function createClipWriter(deps: ClipWriterDeps): ClipWriter {
  const hash = createHash('sha256');
  const queue: Fragment[] = [];
  let queuedBytes = 0;
  let bytes = 0;
  let sequence = 0;
  let firstTicks: number | undefined;
  let endTicks = 0;
  let failure: Failure | undefined;
  let closed = false;
  const opened = openAndSync();
  let draining: Promise<void> = opened.then(
    () => undefined,
    (error: unknown) => fail(error),
  );

  function fail(error: unknown): void {
    if (failure) return;
    failure = classify(error, 'capture.write');
    queue.length = 0;
    queuedBytes = 0;
    deps.onFailure(failure);
  }

  async function openAndSync() {
    const handle = await (deps.openFile ?? ((file) => open(file, 'wx')))(deps.file);
    try {
      await write(handle, [deps.init]);
      await handle.sync();
      const folder = await open(dirname(deps.file), 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    return handle;
  }

  async function write(handle: Pick<FileHandle, 'writev'>, parts: readonly Buffer[]): Promise<void> {
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await handle.writev(parts as Buffer[]);
    // A full disk takes a part and says so only at the next write.
    if (bytesWritten !== total)
      throw new Failure('exhausted', 'capture.write.short', 'The disk took only a part of a fragment');
    for (const part of parts) hash.update(part);
    bytes += total;
  }

  async function drain(): Promise<void> {
    const handle = await opened;
    // A failure empties the queue.
    for (let next = queue.shift(); next; next = queue.shift()) {
      firstTicks ??= next.info.baseTicks;
      const moof = rewriteMoof(next.moof, {
        sequence: ++sequence,
        baseTicks: next.info.baseTicks - firstTicks,
      });
      await write(handle, [moof, ...next.mdat]);
      await handle.datasync();
      endTicks = next.info.baseTicks + next.info.durationTicks;
      queuedBytes -= next.bytes;
    }
  }

  function append(fragment: Fragment): void {
    if (failure || closed) return;
    if (queuedBytes + fragment.bytes > deps.maxQueuedBytes)
      return fail(
        new Failure(
          'exhausted',
          'capture.write.queue',
          'The disk is too slow: too much video waits to be written',
        ),
      );
    queue.push(fragment);
    queuedBytes += fragment.bytes;
    draining = draining.then(() => (failure ? undefined : drain())).catch((error: unknown) => fail(error));
  }

  async function close(): Promise<ClosedClip> {
    closed = true;
    await draining;
    // A file that did not open is the failure itself.
    const handle = await opened.catch(() => undefined);
    try {
      if (handle && !failure) await handle.sync();
    } catch (error) {
      fail(error);
    } finally {
      await handle?.close();
    }
    if (failure) throw failure;
    const durationMs = Math.round(((endTicks - (firstTicks ?? endTicks)) * 1000) / deps.timescale);
    return { durationMs, bytes, sha256: hash.digest('hex') };
  }

  return { append, close };
}
