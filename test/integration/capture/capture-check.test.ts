import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckCameraAnswer, parse } from '@dachawatch/contracts';
import { makePictures } from '../../../hardware/simulators/camera/made-pictures.ts';
import { startRtspProxy } from '../../../hardware/simulators/camera/rtsp-proxy.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createRig, until } from './capture-rig.ts';
import { watchMade } from './rig/made-rig.ts';

test('a camera that is watched is checked beside the recording, once for all who ask', async (t) => {
  const stream = (pictures: Awaited<ReturnType<typeof makePictures>>) => ({ fps: 5, takes: [{ pictures }] });
  const { capture, camera, live } = await watchMade(t, {
    main: stream(await makePictures({ fps: 5, seconds: 2, width: 1280, height: 720 })),
    sub: stream(await makePictures({ fps: 5, seconds: 2 })),
  });
  await live();
  const before = camera.plays('main');
  const { signal } = new AbortController();
  const [one, other] = await Promise.all([capture.check('gate', signal), capture.check('gate', signal)]);
  assert.equal(one, other);
  assert.equal(camera.plays('main') - before, 1);
  assert.deepEqual(
    one.streams.map(({ trouble, measures }) => [trouble, measures?.widthPx]),
    [
      [null, 1280],
      [null, 640],
    ],
  );
  const { usable, streams, advice } = one;
  parse(CheckCameraAnswer, { cameraId: 'gate', usable, streams, advice });
  assert.ok(one.usable, JSON.stringify(one.advice));
  assert.equal(capture.status()[0]?.pid !== null, true, 'it is watched all the same');
  await assert.rejects(capture.check('attic', signal), /no camera "attic"/);
});

test('a login that is held back is not sent by a check', async (t) => {
  const rig = await createRig();
  t.after(() => rig.close());
  const proxy = await startRtspProxy({ login: { username: 'viewer', password: 'right' }, schemes: ['md5'] });
  t.after(() => proxy.stop());
  const config = { id: 'gate', main: proxy.mainUrl, sub: proxy.subUrl, sensitivity: 5 };
  const capture = rig.capture({
    ...{ main: proxy.mainUrl, sub: proxy.subUrl },
    cameras: [{ config, credential: { username: 'viewer', password: 'wrong' } }],
  });
  await capture.start();
  await until('the refusal', () => capture.status()[0]?.state === 'refused', 60_000);
  assert.equal(proxy.wrongLogins(), 1);
  await assert.rejects(
    capture.check('gate', AbortSignal.timeout(60_000)),
    (error) =>
      error instanceof Failure &&
      error.code === 'capture.unwatchable' &&
      /tried again after/.test(error.message),
  );
  assert.equal(proxy.wrongLogins(), 1);
});
