import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readInit } from '../../../../../agent/capture/mp4/boxes.ts';
import { wholeFragments, type ReadableFile } from '../../../../../agent/capture/recovery/clip-scan.ts';
import { recoverTornClip } from '../../../../../agent/capture/recovery/recover.ts';
import { madeBytes, madeInit, madeMdat, madeMoof, seconds } from '../made-fragments.ts';

let dir: string;
before(async () => (dir = await mkdtemp(join(tmpdir(), 'dachawatch-recover-'))));
after(() => rm(dir, { recursive: true }));

const init = madeInit();
const parts = seconds(3).map((settings) =>
  madeBytes({ ...settings, frames: 2, frameMs: 500, frameBytes: 6 }),
);
const clip = Buffer.concat([init, ...parts]);

async function recover(bytes: Buffer) {
  const file = join(dir, 'clip.part');
  await writeFile(file, bytes);
  const found = await recoverTornClip(file);
  return { found, left: await readFile(file) };
}

/** A box that players skip, as long as what is set aside in it. */
const setAside = (bytes: Buffer) => {
  const box = Buffer.from(bytes);
  box.writeUInt32BE(bytes.length);
  box.write('free', 4, 'latin1');
  return box;
};

test('wherever the file is cut, its whole fragments are kept and the rest is set aside behind them', async () => {
  for (let cut = 0; cut <= clip.length; cut++) {
    let wholeBytes = init.length;
    let fragments = 0;
    while (fragments < 3 && wholeBytes + (parts[fragments] as Buffer).length <= cut)
      wholeBytes += (parts[fragments++] as Buffer).length;
    const { found, left } = await recover(clip.subarray(0, cut));
    if (fragments === 0) {
      assert.equal(found, undefined, `cut at ${cut}`);
      assert.equal(left.length, cut, 'left as it is');
      continue;
    }
    const rest = clip.subarray(wholeBytes, cut);
    // Zeros at the end, and less than a header, hold nothing.
    const kept = withoutZeros(rest);
    const tail = kept.length < 8 ? Buffer.alloc(0) : setAside(kept);
    assert.deepEqual(left, Buffer.concat([clip.subarray(0, wholeBytes), tail]), `cut at ${cut}`);
    assert.equal(found?.bytes, left.length);
    assert.equal(found.durationMs, fragments * 1000);
    assert.equal(found.sha256, createHash('sha256').update(left).digest('hex'));
    assert.equal(
      found.detail,
      tail.length > 0
        ? `kept ${fragments} of ${fragments + 1} fragments, ${tail.length} bytes set aside in the clip`
        : undefined,
    );
  }
});

function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

test('recovering twice gives the same', async () => {
  const first = await recover(clip.subarray(0, clip.length - 5));
  const again = await recoverTornClip(join(dir, 'clip.part'));
  assert.deepEqual(again, first.found);
});

test('pages of zeros behind the last fragment are cut off', async () => {
  const { found } = await recover(Buffer.concat([clip, Buffer.alloc(5000)]));
  assert.equal(found?.bytes, clip.length);
});

test('a fragment whose samples were never written is not kept', async () => {
  const empty = madeMdat({ baseMs: 3000, fill: 0 });
  const { found, left } = await recover(Buffer.concat([clip, madeMoof({ baseMs: 3000 }), empty]));
  assert.equal(found?.durationMs, 3000);
  assert.equal(left.toString('latin1', clip.length + 4, clip.length + 8), 'free');
});

test('foreign bytes behind the last fragment are set aside', async () => {
  const { found, left } = await recover(Buffer.concat([clip, Buffer.alloc(300, 0xff)]));
  assert.equal(found?.durationMs, 3000);
  assert.match(found.detail ?? '', /kept 3 of 5 fragments, 300 bytes set aside/);
  assert.deepEqual(left.subarray(0, clip.length), clip);
});

test('a repair that is ended after any of its writes is done by the next one', async () => {
  const hole = Buffer.concat([init, parts[0] as Buffer, Buffer.alloc(50, 9), parts[2] as Buffer]);
  const file = join(dir, 'killed.part');
  const { found } = await recover(hole);
  for (let written = 0; written <= 8; written++) {
    const halfway = Buffer.from(hole);
    setAside(hole.subarray(init.length + (parts[0] as Buffer).length).subarray(0, 50))
      .subarray(0, written)
      .copy(halfway, init.length + (parts[0] as Buffer).length);
    await writeFile(file, halfway);
    // Left by a repair that was ended while it wrote beside.
    await writeFile(`${file}.mending`, 'half a clip');
    assert.deepEqual({ ...(await recoverTornClip(file)), sha256: '' }, { ...found, sha256: '' });
    assert.equal(existsSync(`${file}.mending`), false);
  }
});

test('when a clip was written last is still known after its repair', async () => {
  const file = join(dir, 'old.part');
  await writeFile(file, clip.subarray(0, clip.length - 5));
  await utimes(file, 1_700_000_000, 1_700_000_000);
  await recoverTornClip(file);
  assert.equal((await stat(file)).mtimeMs, 1_700_000_000_000);
});

test('fragments that are told to be much longer than a file of any size cost no more than reading it', async () => {
  const liar = Buffer.from(madeMoof({ baseMs: 0 }));
  liar.writeUInt32BE(4_000_000);
  const file = join(dir, 'liars.part');
  await writeFile(file, Buffer.concat([init, ...Array.from({ length: 20_000 }, () => liar), ...parts]));
  const handle = await open(file, 'r');
  let read = 0;
  const counting = {
    read: async (buffer: Buffer, offset: number, length: number, position: number) => {
      const result = await handle.read(buffer, offset, length, position);
      read += result.bytesRead;
      return result;
    },
  } as unknown as ReadableFile;
  const { size } = await handle.stat();
  assert.equal((await wholeFragments(counting, size, readInit(init))).length, 3);
  await handle.close();
  assert.ok(read < 5 * size, `${read} bytes were read of ${size}`);
});

test('no file, an empty file and a file of something else give nothing', async () => {
  assert.equal(await recoverTornClip(join(dir, 'none.part')), undefined);
  assert.equal((await recover(Buffer.alloc(0))).found, undefined);
  assert.equal((await recover(Buffer.from('not a clip, but long enough for a header'))).found, undefined);
});
