import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInit, readMoof } from '../../../../../agent/capture/mp4/boxes.ts';
import { createCameraTime } from '../../../../../agent/capture/packing/camera-time.ts';
import { createPictureCutter } from '../../../../../agent/capture/packing/coded-pictures.ts';
import type { Fragment } from '../../../../../agent/capture/mp4/fragment.ts';
import { createFragmenter } from '../../../../../agent/capture/packing/fragmenter.ts';
import type { MadePicture } from '../../../../../hardware/simulators/camera/made-pictures.ts';
import { small, unitsOf } from '../h264-stream.ts';

/** Ten pictures a second, stamped as they are shown. */
function pack(
  pictures: readonly MadePicture[],
  stampMs = (picture: MadePicture) => picture.shown * 100,
): Fragment[] {
  const fragments: Fragment[] = [];
  const fragmenter = createFragmenter({
    time: createCameraTime(),
    onFragment: (fragment) => fragments.push(fragment),
  });
  let now = 10_000;
  const cutter = createPictureCutter({ onPicture: (picture) => fragmenter.push(picture, now) });
  for (const picture of pictures) {
    now += 100;
    for (const units of unitsOf(picture, stampMs(picture))) cutter.push(units, now);
  }
  cutter.flush();
  fragmenter.flush(now);
  return fragments;
}

test('fragments are a second long, begin anew with each key frame, follow each other without a gap, and hold every picture', async () => {
  const pictures = await small({ seconds: 5, gop: 25 });
  const fragments = pack(pictures);
  assert.deepEqual(
    fragments.map(({ info }) => [info.samples, info.startsWithKeyFrame]),
    [
      [10, true],
      [10, false],
      [5, false],
      [10, true],
      [10, false],
      [5, false],
    ],
  );
  for (const [index, { startMs }] of fragments.entries())
    if (index > 0) assert.equal(startMs, fragments[index - 1]?.endMs);
});

test('what a fragment says of itself is what its boxes say', async () => {
  for (const bPictures of [0, 2]) {
    for (const { moof, mdat, bytes, info, format } of pack(await small({ bPictures, seconds: 3 }))) {
      const read = readMoof(moof, readInit(format.init));
      assert.deepEqual(read, info);
      const data = Buffer.concat(mdat);
      assert.equal(data.readUInt32BE(0), data.length);
      assert.equal(data.length - 8, info.sampleBytes);
      assert.equal(moof.length + data.length, bytes);
    }
  }
});

test('other parameter sets are another format; the same ones again are not', async () => {
  const [one, two] = [await small(), await small({ width: 320, height: 176 })];
  const shown = (pictures: readonly MadePicture[], from: number) =>
    pictures.map((picture) => ({ ...picture, shown: picture.shown + from }));
  const fragments = pack([...one, ...shown(two, 20), ...shown(two, 40), ...shown(one, 60)]);
  assert.deepEqual(
    fragments.map(({ format }) => format.number),
    [1, 1, 2, 2, 2, 2, 3, 3],
  );
});

test('after the camera’s clock was set the next key frame begins another format, and no time is lost', async () => {
  const pictures = await small({ seconds: 5 });
  const fragments = pack(pictures, ({ shown }) => (shown < 25 ? shown : shown - 3_000) * 100);
  assert.deepEqual(
    fragments.map(({ format }) => format.number),
    [1, 1, 1, 2, 2],
  );
  assert.ok(Math.abs((fragments.at(-1)?.endMs ?? 0) - 5000) < 200);
});
