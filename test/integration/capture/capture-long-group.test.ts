import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { makePictures } from '../../../hardware/simulators/camera/made-pictures.ts';
import type { MadeStream } from '../../../hardware/simulators/camera/made-stream.ts';
import { until } from './capture-rig.ts';
import { assertWholeClip, watchMade } from './rig/made-rig.ts';

const FPS = 5;
const APART_S = 60;
/** The camera is asked for its pictures just behind a key frame. */
const MISSED_S = 2;

test('a camera with a key frame every 60 s and none at connect gets live with its first one, and records a clip that decodes', async (t) => {
  const group = await makePictures({ fps: FPS, seconds: APART_S, gop: FPS * APART_S });
  assert.equal(group.filter(({ key }) => key).length, 1, 'one key frame');
  const stream: MadeStream = {
    fps: FPS,
    takes: [{ pictures: group.slice(FPS * MISSED_S) }, { pictures: group }],
  };
  const conditions = createConditions({ clock: systemClock, log: createLog('silent', () => undefined) });
  // Of the product: a connection without a picture would be given up after 15 s.
  const { live, capture, record, camera } = await watchMade(t, {
    ...{ main: stream, sub: stream, conditions },
    timings: {},
  });
  const notice = await until(
    'the advice',
    () => conditions.list().find(({ code }) => code === 'camera-keyframes'),
    120_000,
  );
  assert.match(notice.detail, /its pictures come, but no key frame .*; set the key frame interval/);
  assert.equal(capture.status()[0]?.state, 'starting');
  await live();
  assert.equal(camera.plays('main'), 1, 'it was connected anew');
  assert.ok(camera.sent('main') >= FPS * (APART_S - MISSED_S), 'there was none before');
  const clips = await record();
  assert.ok(clips.length > 0);
  for (const clip of clips) await assertWholeClip(clip);
});
