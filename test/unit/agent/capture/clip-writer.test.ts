import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createFragmentReader, type Fragment } from '../../../../agent/capture/fragment-reader.ts';
import { createClipWriter, type ClipWriterDeps } from '../../../../agent/capture/clip-writer.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { madeFragments, seconds } from './made-fragments.ts';

let dir: string;
before(async () => (dir = await mkdtemp(join(tmpdir(), 'dachawatch-writer-'))));
after(() => rm(dir, { recursive: true }));

function writerFor(name: string, more: Partial<ClipWriterDeps> = {}) {
  const { init, track, fragments } = madeFragments(
    seconds(8).map((wish) => ({ ...wish, baseMs: wish.baseMs + 50_000 })),
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

async function readBack(file: string): Promise<Fragment[]> {
  const fragments: Fragment[] = [];
  const reader = createFragmentReader({
    maxBoxBytes: 1 << 20,
    onInit: () => undefined,
    onFragment: (fragment) => fragments.push(fragment),
  });
  reader.push(await readFile(file), 0);
  return fragments;
}

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

test('a full disk ends the clip with kind exhausted, and what was synced stays', async () => {
  let room = 3;
  const { open } = await import('node:fs/promises');
  const { writer, file, fragments, failures } = writerFor('full.mp4', {
    openFile: async (path) => {
      const handle = await open(path, 'wx');
      return {
        writev: async (parts) => {
          if (room-- === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          return handle.writev(parts);
        },
        datasync: () => handle.datasync(),
        sync: () => handle.sync(),
        close: () => handle.close(),
      };
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  await assert.rejects(writer.close(), { kind: 'exhausted' });
  assert.equal(failures.length, 1);
  assert.equal((await readBack(file)).length, 2);
});

test('a disk that takes only a part of a fragment counts as full', async () => {
  const { open } = await import('node:fs/promises');
  let writes = 0;
  const { writer, fragments } = writerFor('short.mp4', {
    openFile: async (path) => {
      const handle = await open(path, 'wx');
      return {
        writev: async (parts) => {
          const result = await handle.writev(parts);
          return writes++ === 0 ? result : { ...result, bytesWritten: result.bytesWritten - 1 };
        },
        datasync: () => handle.datasync(),
        sync: () => handle.sync(),
        close: () => handle.close(),
      };
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  await assert.rejects(writer.close(), { kind: 'exhausted' });
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
