import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { classify } from '../../../kernel/classify.ts';
import { Failure } from '../../../kernel/failure.ts';
import { rewriteMoof } from '../../mp4/boxes.ts';
import type { Fragment } from '../../mp4/fragment.ts';
import { initCopyOf } from '../../mp4/init-copy.ts';

export interface ClosedClip {
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string;
  /** The disk failed: what came after these bytes is not in the file. */
  readonly cutBy?: Failure;
}

export interface ClipWriter {
  /** Queues a fragment. Without effect after a failure or after `close`. */
  append(fragment: Fragment): void;
  /** Waits for the queue, fsyncs, closes the file. After a failure the file ends with the last fragment that is
   *  certainly on disk.
   *  @throws Failure of the disk: no fragment is certain, or the file could not be cut there */
  close(): Promise<ClosedClip>;
}

type ClipFile = Pick<FileHandle, 'writev' | 'datasync' | 'sync' | 'truncate' | 'close'>;

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
  readonly openFile?: (file: string) => Promise<ClipFile>;
}

/** Every so many fragments the clip carries its init segment once more, the first time behind the first. */
const COPY_EVERY = 8;

/** Writes one clip.
 *  Invariants
 *  1. The first fragment begins with a key frame and its time becomes 0; samples are written as they came.
 *  2. After each fragment the file is synced: a cut loses at most the fragment being written.
 *  3. The folder entry is synced before the first fragment.
 *  4. A fragment whose write or sync failed is not in the file: no later success speaks for it.
 *  5. The SHA-256 covers exactly the bytes of the closed file. */
export function createClipWriter(deps: ClipWriterDeps): ClipWriter {
  const hash = createHash('sha256');
  const queue: Fragment[] = [];
  let queuedBytes = 0;
  /** What is certain to be on disk. */
  let bytes = 0;
  let certainFragments = 0;
  let sequence = 0;
  let firstTicks: number | undefined;
  let endTicks = 0;
  let failure: Failure | undefined;
  let closed = false;
  const opened = openSynced(deps).then((handle) => {
    count([deps.init]);
    return handle;
  });
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

  function count(parts: readonly Buffer[]): void {
    for (const part of parts) {
      hash.update(part);
      bytes += part.length;
    }
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
      const copy = sequence % COPY_EVERY === 1 ? [initCopyOf(deps.init)] : [];
      const parts = [moof, ...next.mdat, ...copy];
      await writeAll(handle, parts);
      await handle.datasync();
      count(parts);
      certainFragments++;
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
    if (!handle) throw failure;
    try {
      if (!failure) await handle.sync();
    } catch (error) {
      fail(error);
    }
    const whole = !failure || (await cutTo(handle, bytes));
    await handle.close().catch(fail);
    const durationMs = Math.round(((endTicks - (firstTicks ?? endTicks)) * 1000) / deps.timescale);
    if (!whole || (failure && certainFragments === 0)) throw failure;
    return { durationMs, bytes, sha256: hash.digest('hex'), ...(failure ? { cutBy: failure } : {}) };
  }

  return { append, close };
}

/** The file with its init segment, on disk with its name.
 *  @throws the system's error */
async function openSynced({ file, init, openFile = openNew }: ClipWriterDeps): Promise<ClipFile> {
  const handle = await openFile(file);
  try {
    await writeAll(handle, [init]);
    await handle.sync();
    const folder = await open(dirname(file), 'r');
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

const openNew = (file: string): Promise<ClipFile> => open(file, 'wx');

/** Takes away what may or may not be on disk.
 *  @param bytes what certainly is */
async function cutTo(handle: ClipFile, bytes: number): Promise<boolean> {
  try {
    await handle.truncate(bytes);
    await handle.sync();
    return true;
  } catch {
    // The first failure says more; whoever is told of it recovers the file.
    return false;
  }
}

async function writeAll(handle: ClipFile, parts: readonly Buffer[]): Promise<void> {
  for (let rest = parts; rest.length > 0; ) {
    const { bytesWritten } = await handle.writev(rest as Buffer[]);
    if (bytesWritten === 0)
      throw new Failure('exhausted', 'capture.write.short', 'The disk took only a part of a fragment');
    rest = behind(rest, bytesWritten);
  }
}

/** What is left of the parts when so many of their bytes are written. */
function behind(parts: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return parts.flatMap((part) => {
    const rest = part.subarray(Math.min(skip, part.length));
    skip -= part.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}
