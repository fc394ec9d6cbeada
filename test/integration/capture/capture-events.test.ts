import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CameraSimulator, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';
import { type CaptureRig, createRig, sliceHashes, until } from './capture-rig.ts';

/** Somebody walks past the camera, again and again: it does not get quiet for long enough to end an event. */
let rig: CaptureRig;
let camera: CameraSimulator;

before(async () => {
  rig = await createRig();
  const video = join(rig.dir, 'walk.mp4');
  await makeVideo(video, { seconds: 8, fps: 10, fromS: 0, toS: 8 });
  camera = await startCamera({ video, leadInS: 4, cacheDir: rig.dir });
});
after(async () => {
  await camera?.stop();
  await rig?.close();
});

test('clips of motion that goes on grow to the longest length and follow each other, no picture lost or doubled', async () => {
  const { mainUrl: main, subUrl: sub } = camera;
  const capture = rig.capture({
    main,
    sub,
    recording: { preRollMs: 1000, postRollMs: 3500, longestMs: 9300 },
  });
  await capture.start();
  await until('four clips', () => rig.kept.filter(({ written }) => written).length >= 4);
  await capture.stop();
  const clips = rig.kept.filter(({ written }) => written).slice(0, 4);
  const pictures = await Promise.all(clips.map(async ({ file }) => await sliceHashes(file)));
  for (const { written } of clips.slice(0, 3))
    assert.ok((written?.durationMs ?? 0) >= 8_000, `${written?.durationMs} ms`);
  // Every picture of the footage is another one, and it is shown in the same order again and again.
  const nextOf = new Map<string, string>();
  for (const clip of pictures)
    for (const [n, { hash }] of clip.entries()) {
      const next = clip[n + 1];
      if (next) nextOf.set(hash, next.hash);
    }
  for (const [n, clip] of pictures.slice(1).entries()) {
    const last = pictures[n]?.at(-1);
    assert.equal(nextOf.get(last?.hash ?? ''), clip[0]?.hash, `between clip ${n} and the next`);
    assert.equal(clip[0]?.key, true);
  }
});

test('of a camera whose day is used up nothing is recorded, and why is counted and kept', async () => {
  const { mainUrl: main, subUrl: sub } = camera;
  const counts: Readonly<Record<string, number>>[] = [];
  const reasons: string[] = [];
  let asked = 0;
  const capture = rig.capture({
    main,
    sub,
    store: {
      open: () => {
        asked += 1;
        return { suppressed: 'daily-limit' };
      },
      written: () => assert.fail('a clip was written'),
      thumbnail: () => assert.fail('a picture of a clip came'),
      abandoned: async () => assert.fail('a clip was given up'),
    },
    suppressed: {
      keep: (_camera, { reason }) => void reasons.push(reason),
      count: (_camera, totals) => void counts.push(totals),
    },
  });
  await capture.start();
  await until('its record', () => reasons.includes('daily-limit'));
  assert.ok((counts.at(-1)?.['daily-limit'] ?? 0) >= 1);
  assert.ok(asked >= 1);
  assert.equal(capture.status()[0]?.unrecordedMs ?? null, null, 'it is not missing');
  await capture.stop();
});
