import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { MadeStream } from '../../hardware/simulators/camera/made-camera.ts';
import { makePictures, type MadePicture } from '../../hardware/simulators/camera/made-pictures.ts';
import { assertWholeClip, watchMade } from './made-rig.ts';

const FPS = 10;
let plain: MadePicture[];
let sub: MadeStream;

before(async () => {
  plain = await makePictures({ fps: FPS, seconds: 2 });
  sub = { fps: FPS, takes: [{ pictures: await makePictures({ fps: FPS, seconds: 2 }) }] };
});

const stream = (more: Partial<MadeStream> = {}): MadeStream => ({
  fps: FPS,
  takes: [{ pictures: plain }],
  ...more,
});

test('a made camera without a fault is recorded', async (t) => {
  const made = await watchMade(t, { main: stream(), sub });
  await made.live();
  const clips = await made.record();
  for (const clip of clips) await assertWholeClip(clip);
  assert.ok(clips.length > 0);
});
