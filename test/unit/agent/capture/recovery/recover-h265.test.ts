import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { createClipWriter } from '../../../../../agent/capture/child/clips/clip-writer.ts';
import { boxes } from '../../../../../agent/capture/mp4/boxes.ts';
import type { Fragment } from '../../../../../agent/capture/mp4/fragment.ts';
import { createCameraTime } from '../../../../../agent/capture/packing/camera-time.ts';
import { createPictureCutter } from '../../../../../agent/capture/packing/coded-pictures.ts';
import { createFragmenter } from '../../../../../agent/capture/packing/fragmenter.ts';
import { recoverTornClip } from '../../../../../agent/capture/recovery/recover.ts';
import { decode } from '../real-clip.ts';
import { small, unitsOf } from '../h264-stream.ts';

const SECONDS = 10;
const FPS = 10;
let dir: string;
let file: string;
let clip: Buffer;
/** Where each fragment begins. */
let starts: number[];

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-h265-'));
  const whole = join(dir, 'WHOLE.mp4');
  const fragments: Fragment[] = [];
  const fragmenter = createFragmenter({
    time: createCameraTime(),
    onFragment: (fragment) => fragments.push(fragment),
  });
  let now = 10_000;
  const cutter = createPictureCutter({ onPicture: (picture) => fragmenter.push(picture, now) });
  for (const picture of await small({ coding: 'H265', seconds: SECONDS })) {
    now += 1000 / FPS;
    for (const unit of unitsOf(picture, picture.shown * (1000 / FPS))) cutter.push(unit, now);
  }
  cutter.flush();
  fragmenter.flush(now);
  const { init, track } = fragments[0]?.format ?? assert.fail();
  const writer = createClipWriter({
    file: whole,
    init,
    timescale: track.timescale,
    maxQueuedBytes: 1 << 26,
    onFailure: (failure) => {
      throw failure;
    },
  });
  for (const fragment of fragments) writer.append(fragment);
  await writer.close();
  clip = await readFile(whole);
  await rm(whole);
  starts = [...boxes(clip)].filter(({ type }) => type === 'moof').map(({ start }) => start - 8);
  assert.equal(starts.length, SECONDS);
});
// A folder of its own: the clips beside one are asked for their init segment.
beforeEach(async () => {
  file = join(await mkdtemp(join(dir, 'camera-')), '01CLIP.mp4.part');
});
after(() => rm(dir, { recursive: true }));

async function recovered(bytes: Buffer): Promise<{ pictures: number; complaints: string }> {
  await writeFile(file, bytes);
  const found = await recoverTornClip(file);
  if (!found) return { pictures: 0, complaints: '' };
  const { pictures, complaints } = await decode(file);
  return { pictures, complaints };
}

const flip = (bytes: Buffer, bit: number) => {
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
};

test('a clip of H.265 that is cut anywhere keeps its whole fragments, and they decode', async () => {
  for (const [count, at] of starts.entries()) {
    if (count === 0) continue;
    for (const end of [at, at + 5, at + 200]) {
      const { pictures, complaints } = await recovered(clip.subarray(0, end));
      assert.deepEqual([pictures, complaints], [count * FPS, ''], `cut at ${end}`);
    }
  }
});

test('a clip of H.265 whose first page was never written is whole again', async () => {
  const spoilt = Buffer.from(clip);
  spoilt.fill(0, 0, starts[0]);
  assert.deepEqual(await recovered(spoilt), { pictures: SECONDS * FPS, complaints: '' });
});

test('any flipped bit of an init segment of H.265 costs nothing', async () => {
  const from = clip.indexOf('hvcC') * 8;
  for (let bit = from; bit < (starts[0] ?? 0) * 8; bit += 97) {
    const spoilt = Buffer.from(clip);
    flip(spoilt, bit);
    const { pictures, complaints } = await recovered(spoilt);
    assert.deepEqual([pictures, complaints], [SECONDS * FPS, ''], `bit ${bit}`);
  }
});

test('a clip of H.265 without its beginning and its copies takes the init segment of a clip beside it', async () => {
  const beside = join(file, '..', '01BESIDE.mp4');
  await writeFile(beside, clip);
  const spoilt = Buffer.from(clip);
  spoilt.fill(0, 0, starts[0]);
  // Each copy loses its checksum.
  for (let at = spoilt.indexOf('hvcC'); at >= 0; at = spoilt.indexOf('hvcC', at + 4)) flip(spoilt, at * 8);
  assert.deepEqual(await recovered(spoilt), { pictures: SECONDS * FPS, complaints: '' });
});

test('forty flipped bits in the indexes of a clip of H.265 cost at most the fragments they lie in', async () => {
  let state = 7;
  const random = (below: number) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
  for (let round = 0; round < 5; round++) {
    const spoilt = Buffer.from(clip);
    const hit = new Set<number>();
    for (let count = 0; count < 40; count++) {
      // Within the first half, so that what must be kept is known.
      const fragment = random(SECONDS / 2);
      hit.add(fragment);
      const at = starts[fragment] ?? 0;
      flip(spoilt, at * 8 + random(clip.readUInt32BE(at) * 8));
    }
    const { pictures, complaints } = await recovered(spoilt);
    assert.equal(complaints, '');
    assert.ok(pictures >= (SECONDS - hit.size) * FPS, `${pictures} pictures in round ${round}`);
  }
});
