import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { test } from 'node:test';
import { BLOCK_BYTES } from '../../../../agent/upload/clip-reader.ts';
import { blockId, metadataOf } from '../../../../agent/upload/upload-clip.ts';
import { benchUpload, DEVICE, passTime, until } from './bench.ts';

/** Descriptors of this process that are open on a file. */
const openFilesOf = (file: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file;
    } catch {
      return false; // closed since
    }
  });

test('a clip of which its writer did not say all is described as far as it is known', (t) => {
  const { sealed } = benchUpload(t);
  const clip = { ...sealed(), startedMs: null, preRollMs: null, durationMs: null };
  const { event_start_utc, pre_roll_ms, duration_ms } = metadataOf(clip, DEVICE);
  assert.deepEqual(
    [event_start_utc, pre_roll_ms, duration_ms],
    [new Date(clip.triggeredMs).toISOString(), '0', '0'],
  );
});

test('ids of blocks are as long as those of older versions, and tell place and bytes', () => {
  const older = Buffer.from(`${'a'.repeat(16)}-000000`).toString('base64');
  const ids = [blockId(Buffer.from('x'), 0), blockId(Buffer.from('x'), 1), blockId(Buffer.from('y'), 0)];
  assert.equal(new Set(ids).size, 3);
  for (const id of [...ids, blockId(Buffer.from('x'), 49_999)]) assert.equal(id.length, older.length);
});

/** Changes one byte of a file in place. */
function flip(file: string, at: number, byte: number): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.from([byte]), 0, 1, at);
  closeSync(fd);
}

test('a block that was read wrongly is not used by the attempt that reads it rightly', async (t) => {
  const { ledger, clock, sealed, uploader, store, lines } = benchUpload(t);
  const clip = sealed(3 * BLOCK_BYTES + 100);
  const right = readFileSync(clip.file);
  const at = BLOCK_BYTES + 17;
  flip(clip.file, at, right[at]! ^ 4);
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'the checksum did not fit');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /has changed/);
  flip(clip.file, at, right[at]!);
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.ok(store.blobs.get(`${DEVICE}/${clip.blobName}`)?.body.equals(right), 'the bytes in storage');
  const staged = store.calls.filter((call) => call.startsWith('stage')).length;
  assert.equal(staged, 5, 'what was right the first time is not sent again');
  assert.ok(
    lines.some((line) => line.includes('"blocks":4,"reused":3')),
    'and that is told',
  );
  assert.deepEqual(openFilesOf(clip.file), []);
});

test('blocks that an older version staged are not mixed in', async (t) => {
  const { ledger, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(2 * BLOCK_BYTES);
  const name = `${DEVICE}/${clip.blobName}`;
  for (const index of [0, 1]) {
    const oldId = `${clip.sha256!.slice(0, 16)}-${String(index).padStart(6, '0')}`;
    store.stage(name, Buffer.from(oldId).toString('base64'), Buffer.alloc(BLOCK_BYTES, 'wrong'));
  }
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.ok(store.blobs.get(name)?.body.equals(readFileSync(clip.file)));
});

test('a blob that names our checksum and holds other bytes is not taken for the clip', async (t) => {
  const { ledger, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(BLOCK_BYTES);
  store.put(`${DEVICE}/${clip.blobName}`, Buffer.alloc(BLOCK_BYTES, 'wrong'), clip.sha256!);
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'parked', 'parked');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /do not have the checksum/);
});

test('another content that comes between our look and our commit is found', async (t) => {
  const { ledger, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(BLOCK_BYTES);
  store.fault = (call, name) => {
    if (call === 'commit') store.put(name, Buffer.alloc(BLOCK_BYTES, 'wrong'), clip.sha256!);
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'parked', 'parked');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /another content/);
});

for (const [what, spoil] of Object.entries({
  'was cut short': (file: string) => truncateSync(file, 100),
  'was away': (file: string) => renameSync(file, `${file}.away`),
  'had a byte changed': (file: string) => flip(file, 5, 0),
}))
  test(`a file that ${what} at one reading costs the clip nothing`, async (t) => {
    const { ledger, clock, sealed, uploader, store, conditions } = benchUpload(t);
    const clip = sealed(5_000);
    const other = sealed(5_000);
    const right = readFileSync(clip.file);
    spoil(clip.file);
    await uploader.start();
    await until(() => ledger.clip(clip.clipId)?.reason !== null, 'read in vain');
    assert.equal(ledger.clip(clip.clipId)?.state, 'sealed');
    await until(() => ledger.clip(other.clipId)?.state === 'uploaded', 'the other one goes up meanwhile');
    writeFileSync(clip.file, right);
    await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
    assert.ok(store.blobs.get(`${DEVICE}/${clip.blobName}`)?.body.equals(right));
    assert.deepEqual(conditions.list(), []);
  });

const ODD_FILES: Record<string, (file: string) => void> = {
  'a folder': (file) => mkdirSync(file),
  'a pipe that nobody writes to': (file) => void execFileSync('mkfifo', [file]),
  'a link to itself': (file) => symlinkSync(file, file),
};
for (const [what, put] of Object.entries(ODD_FILES))
  test(`${what} in place of the file is no end of the uploader, and parks the clip in the end`, async (t) => {
    const { ledger, clock, sealed, uploader } = benchUpload(t);
    const clip = sealed(5_000);
    const other = sealed(5_000);
    renameSync(clip.file, `${clip.file}.away`);
    put(clip.file);
    await uploader.start();
    await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'parked', 'parked');
    assert.match(ledger.clip(clip.clipId)?.reason ?? '', /cannot be read/);
    await passTime(
      clock,
      5_000,
      () => ledger.clip(other.clipId)?.state === 'uploaded',
      'the other one is up',
    );
  });

test('a hash of another content beside the right bytes is not believed: they are read back, and the clip is uploaded', async (t) => {
  const { ledger, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(BLOCK_BYTES + 3);
  store.fault = (call, name) => {
    const blob = call === 'head' && store.blobs.get(name);
    if (blob) store.blobs.set(name, { ...blob, md5: 'd'.repeat(32) });
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.equal(store.calls.filter((call) => call.startsWith('read-back')).length, 1);
  assert.ok(!ledger.custody(clip.clipId).some(({ event }) => event === 'park'));
});

test('storage that takes everything and then has no blob of it is asked again, later and later, until it has one', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(2 * BLOCK_BYTES);
  let forgets = true;
  let commits = 0;
  store.fault = (call, name) => {
    if (call === 'commit') commits++;
    if (call === 'head' && forgets) store.blobs.delete(name);
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'it is not there');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /committed, but is not in storage/);
  const endMs = clock.monotonicMs() + 3_600_000;
  await passTime(clock, 5_000, () => clock.monotonicMs() >= endMs, 'an hour');
  assert.ok(commits < 20, `${commits} in an hour`);
  // On a busy machine an hour of the clock is over before the disk has answered often enough.
  await passTime(clock, 5_000, () => commits > 3, 'asked again and again');
  await until(() => ledger.clip(clip.clipId)?.state === 'sealed', 'the last try is over');
  forgets = false;
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
});

test('storage that loses blocks between list and commit gets them again', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(3 * BLOCK_BYTES);
  let losses = 2;
  store.fault = (call, name) => {
    if (call === 'commit' && losses-- > 0) store.forget(name);
  };
  await uploader.start();
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.ok(store.blobs.get(`${DEVICE}/${clip.blobName}`)?.body.equals(readFileSync(clip.file)));
  assert.equal(ledger.clip(clip.clipId)?.attempt, 3);
});

test('storage that says yes and keeps only a part of the clip has another content: parked, told, not overwritten', async (t) => {
  const { ledger, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(2 * BLOCK_BYTES);
  store.fault = (call, name) => {
    const blob = call === 'head' && store.blobs.get(name);
    if (blob) store.blobs.set(name, { ...blob, body: blob.body.subarray(0, BLOCK_BYTES) });
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'parked', 'parked');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /another content .* bytes instead of/);
});
