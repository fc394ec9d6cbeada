import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { boxes } from '../../../../../../agent/capture/mp4/boxes.ts';
import {
  createClipWriter,
  type ClipWriterDeps,
} from '../../../../../../agent/capture/child/clips/clip-writer.ts';
import { Failure } from '../../../../../../agent/kernel/failure.ts';
import { readFragments } from '../../../../../../scripts/lib/fragmented-mp4.ts';
import { madeFragments, seconds } from '../../made-fragments.ts';

let dir: string;
before(async () => (dir = await mkdtemp(join(tmpdir(), 'dachawatch-writer-'))));
after(() => rm(dir, { recursive: true }));

function writerFor(name: string, more: Partial<ClipWriterDeps> = {}) {
  const { init, track, fragments } = madeFragments(
    seconds(8).map((settings) => ({ ...settings, baseMs: settings.baseMs + 50_000 })),
  );
  const file = join(dir, name);
  const failures: Failure[] = [];
  const writer = createClipWriter({
    file,
    init,
    timescale: track.timescale,
    maxQueuedBytes: 1 << 20,
    onFailure: (failure) => failures.push(failure),
    ...more,
  });
  return { writer, file, fragments, failures };
}

const readBack = async (file: string) => readFragments(await readFile(file)).fragments;

test('the file starts at 0, counts its fragments, and holds the samples as they came', async () => {
  const { writer, file, fragments } = writerFor('a.mp4');
  for (const fragment of fragments) writer.append(fragment);
  const closed = await writer.close();
  const written = await readBack(file);
  assert.deepEqual(
    written.map(({ startMs }) => startMs),
    [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000],
  );
  assert.deepEqual(
    written.map(({ mdat }) => Buffer.concat(mdat)),
    fragments.map(({ mdat }) => Buffer.concat(mdat)),
  );
  assert.equal(closed.durationMs, 8000);
});

test('size and SHA-256 are those of the closed file', async () => {
  const { writer, file, fragments } = writerFor('b.mp4');
  for (const fragment of fragments) {
    writer.append(fragment);
    await new Promise(setImmediate);
  }
  const closed = await writer.close();
  const bytes = await readFile(file);
  assert.equal(closed.bytes, bytes.length);
  assert.equal(closed.sha256, createHash('sha256').update(bytes).digest('hex'));
});

const systemError = (code: string) => Object.assign(new Error(`${code}: the disk says no`), { code });

type Fault = 'writev' | 'datasync' | 'sync' | 'truncate';
type Opened = Awaited<ReturnType<NonNullable<ClipWriterDeps['openFile']>>>;

/** A real file whose calls fail when `fails` says so. Calls are counted from 1, each name by itself. */
function failing(
  fails: (call: Fault, count: number) => Error | undefined,
): NonNullable<ClipWriterDeps['openFile']> {
  return async (path) => {
    const handle = await open(path, 'wx');
    const counts: Record<Fault, number> = { writev: 0, datasync: 0, sync: 0, truncate: 0 };
    const mayFail = (call: Fault) => {
      const error = fails(call, ++counts[call]);
      if (error) throw error;
    };
    const file: Opened = {
      writev: async (parts) => {
        const result = await handle.writev(parts);
        mayFail('writev');
        return result;
      },
      // As Linux does it: the bytes are where a reader finds them, and the next sync succeeds.
      datasync: async () => mayFail('datasync'),
      sync: async () => mayFail('sync'),
      truncate: async (length) => {
        mayFail('truncate');
        await handle.truncate(length);
      },
      close: () => handle.close(),
    };
    return file;
  };
}

for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS'])
  for (const call of ['writev', 'datasync'] as const)
    test(`a fragment whose ${call} failed with ${code} is not in the clip, whatever succeeds later`, async () => {
      // The first write is that of the init segment.
      const third = call === 'writev' ? 4 : 3;
      const { writer, file, fragments, failures } = writerFor(`${call}-${code}.mp4`, {
        openFile: failing((one, count) => (one === call && count === third ? systemError(code) : undefined)),
      });
      for (const fragment of fragments) writer.append(fragment);
      const closed = await writer.close();
      assert.equal(closed.durationMs, 2000);
      assert.equal(closed.cutBy, failures[0]);
      assert.equal(failures.length, 1);
      assert.equal(failures[0]?.kind, code === 'EIO' ? 'corrupt' : 'exhausted');
      const bytes = await readFile(file);
      assert.equal((await readBack(file)).length, 2);
      assert.equal(closed.bytes, bytes.length);
      assert.equal(closed.sha256, createHash('sha256').update(bytes).digest('hex'));
    });

test('a fragment counts only when the disk has said that it has it, and the next one waits for that', async () => {
  const { promise: onDisk, resolve } = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  let writes = 0;
  const { writer, fragments } = writerFor('waits.mp4', {
    openFile: async (path) => {
      const handle = await open(path, 'wx');
      return {
        writev: async (parts) => {
          writes++;
          return handle.writev(parts);
        },
        datasync: () => {
          began.resolve();
          return onDisk;
        },
        sync: () => handle.sync(),
        truncate: (length) => handle.truncate(length),
        close: () => handle.close(),
      };
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  let closed = false;
  const closing = writer.close().finally(() => (closed = true));
  await began.promise;
  // What would go on without waiting has every chance to.
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  assert.equal(closed, false);
  assert.equal(writes, 2, 'the init segment and the first fragment');
  resolve();
  assert.equal((await closing).durationMs, 8000);
});

test('a clip of which nothing is certain is a failure, and so is one that cannot be cut', async () => {
  const nothing = writerFor('nothing.mp4', {
    openFile: failing((call) => (call === 'datasync' ? systemError('EIO') : undefined)),
  });
  for (const fragment of nothing.fragments) nothing.writer.append(fragment);
  await assert.rejects(nothing.writer.close(), { kind: 'corrupt' });
  const uncut = writerFor('uncut.mp4', {
    openFile: failing((call, count) =>
      call === 'truncate' || (call === 'datasync' && count === 3) ? systemError('EROFS') : undefined,
    ),
  });
  for (const fragment of uncut.fragments) uncut.writer.append(fragment);
  await assert.rejects(uncut.writer.close(), { kind: 'exhausted' });
  const unnamed = writerFor('unnamed.mp4', {
    openFile: failing((call) => (call === 'sync' ? systemError('EIO') : undefined)),
  });
  for (const fragment of unnamed.fragments) unnamed.writer.append(fragment);
  await assert.rejects(unnamed.writer.close(), { kind: 'corrupt' });
  assert.equal(unnamed.failures.length, 1);
});

test('a last sync that fails costs nothing when the next one succeeds: each fragment was synced by itself', async () => {
  const { writer, file, fragments } = writerFor('last-sync.mp4', {
    openFile: failing((call, count) => (call === 'sync' && count === 2 ? systemError('EIO') : undefined)),
  });
  for (const fragment of fragments) writer.append(fragment);
  const closed = await writer.close();
  assert.equal(closed.durationMs, 8000);
  assert.equal((await readBack(file)).length, 8);
});

test('a write that takes only a part of a fragment is gone on with where it stopped', async () => {
  const { writer, file, fragments } = writerFor('short.mp4', {
    openFile: async (path) => {
      const handle = await open(path, 'wx');
      return {
        writev: async (parts) => {
          const [first = Buffer.alloc(0)] = parts as unknown as readonly Buffer[];
          const { bytesWritten } = await handle.write(first, 0, Math.max(1, first.length >> 1));
          return { bytesWritten, buffers: parts };
        },
        datasync: () => handle.datasync(),
        sync: () => handle.sync(),
        truncate: (length) => handle.truncate(length),
        close: () => handle.close(),
      };
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  const closed = await writer.close();
  const bytes = await readFile(file);
  assert.equal(closed.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.deepEqual(
    (await readBack(file)).map(({ mdat }) => Buffer.concat(mdat)),
    fragments.map(({ mdat }) => Buffer.concat(mdat)),
  );
});

test('a disk that takes nothing of a fragment counts as full', async () => {
  const { writer, fragments } = writerFor('nothing-taken.mp4', {
    openFile: async (path) => {
      const handle = await open(path, 'wx');
      let writes = 0;
      return {
        writev: async (parts) =>
          writes++ === 0 ? handle.writev(parts) : { bytesWritten: 0, buffers: parts },
        datasync: () => handle.datasync(),
        sync: () => handle.sync(),
        truncate: (length) => handle.truncate(length),
        close: () => handle.close(),
      };
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  await assert.rejects(writer.close(), { kind: 'exhausted' });
});

test('a clip carries its init segment again behind its first fragment, and then behind every eighth', async () => {
  const { writer, file, fragments } = writerFor('copies.mp4');
  for (const fragment of [...fragments, ...fragments.slice(0, 2)]) writer.append(fragment);
  await writer.close();
  const bytes = await readFile(file);
  const types = [...boxes(bytes)].map(({ type }) => type).join(' ');
  const pairs = (count: number) => Array.from({ length: count }, () => 'moof mdat').join(' ');
  assert.equal(types, `ftyp moov ${pairs(1)} uuid ${pairs(8)} uuid ${pairs(1)}`);
});

test('a disk that is too slow ends the clip instead of filling the memory', async () => {
  const { writer, fragments, failures } = writerFor('slow.mp4', { maxQueuedBytes: 1000 });
  for (const fragment of fragments) writer.append(fragment);
  assert.equal(failures[0]?.code, 'capture.write.queue');
  await assert.rejects(writer.close(), { kind: 'exhausted' });
});

test('a file that exists already is never overwritten', async () => {
  const first = writerFor('taken.mp4');
  for (const fragment of first.fragments) first.writer.append(fragment);
  await first.writer.close();
  const size = (await stat(first.file)).size;
  const second = writerFor('taken.mp4');
  await assert.rejects(second.writer.close(), Failure);
  assert.equal((await stat(first.file)).size, size);
});
