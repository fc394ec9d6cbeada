import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { recoverTornClip } from '../../../../agent/capture/recover.ts';
import { madeBytes, madeInit, madeMdat, madeMoof, seconds } from './made-fragments.ts';

let dir: string;
before(async () => (dir = await mkdtemp(join(tmpdir(), 'dachawatch-recover-'))));
after(() => rm(dir, { recursive: true }));

const init = madeInit();
const parts = seconds(3).map((wish) => madeBytes({ ...wish, frames: 2, frameMs: 500, frameBytes: 6 }));
const clip = Buffer.concat([init, ...parts]);

async function recover(bytes: Buffer) {
  const file = join(dir, 'clip.part');
  await writeFile(file, bytes);
  const found = await recoverTornClip(file);
  return { found, left: await readFile(file) };
}

test('wherever the file is cut, exactly its whole fragments are left', async () => {
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
    assert.equal(found?.bytes, wholeBytes, `cut at ${cut}`);
    assert.equal(found.durationMs, fragments * 1000);
    assert.deepEqual(left, clip.subarray(0, wholeBytes));
    assert.equal(found.sha256, createHash('sha256').update(left).digest('hex'));
  }
});

test('recovering twice gives the same', async () => {
  const first = await recover(clip.subarray(0, clip.length - 5));
  const again = await recoverTornClip(join(dir, 'clip.part'));
  assert.deepEqual(again, first.found);
});

test('pages of zeros behind the last fragment are cut off', async () => {
  const { found } = await recover(Buffer.concat([clip, Buffer.alloc(5000)]));
  assert.equal(found?.bytes, clip.length);
});

test('a fragment whose samples were never written is cut off', async () => {
  const empty = madeMdat({ baseMs: 3000, fill: 0 });
  const { found } = await recover(Buffer.concat([clip, madeMoof({ baseMs: 3000 }), empty]));
  assert.equal(found?.bytes, clip.length);
});

test('foreign bytes behind the last fragment are cut off', async () => {
  const { found } = await recover(Buffer.concat([clip, Buffer.alloc(300, 0xff)]));
  assert.equal(found?.bytes, clip.length);
});

test('no file, an empty file and a file of something else give nothing', async () => {
  assert.equal(await recoverTornClip(join(dir, 'none.part')), undefined);
  assert.equal((await recover(Buffer.alloc(0))).found, undefined);
  assert.equal((await recover(Buffer.from('not a clip, but long enough for a header'))).found, undefined);
});
