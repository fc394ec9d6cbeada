import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CaptureCamera } from '../../../agent/capture/capture.ts';
import type { RtspProxy } from '../../../hardware/simulators/camera/rtsp-proxy.ts';
import { until } from './capture-rig.ts';
import { live, state, useGuardedCamera } from './rig/guarded-camera.ts';

const guarded = useGuardedCamera();
const { proxyOf } = guarded;

const right = { username: 'viewer', password: 'p@ss %/?#:ä"' };
const wrong = { ...right, password: 'wrong' };
const recording = { preRollMs: 2000, postRollMs: 4000 };
const HOUR = 3_600_000;
const camera = (
  proxy: RtspProxy,
  credential: CaptureCamera['credential'],
  subCredential = credential,
): CaptureCamera => ({
  config: { id: 'gate', main: proxy.mainUrl, sub: proxy.subUrl, sensitivity: 5 },
  credential,
  subCredential,
});

test('a wrong login is sent once and said, however often the camera was tried; the right one is tried at once', async (t) => {
  const proxy = await proxyOf(t, { login: right, lockAfter: 3 });
  const capture = guarded.rig.capture({
    main: proxy.mainUrl,
    sub: proxy.subUrl,
    cameras: [camera(proxy, wrong)],
    loginWaitsMs: [HOUR],
  });
  await capture.start();
  await until('the sentence', () => state(capture).state === 'refused');
  assert.match(
    state(capture).detail ?? '',
    /^camera gate, main stream: 401, the camera refuses the login; tried again after 60 min, so that/,
  );
  assert.equal(state(capture).pid, null);
  await assert.rejects(capture.snapshot('gate', AbortSignal.timeout(120_000)), /refuses the login/);
  assert.equal(proxy.wrongLogins(), 1);
  assert.ok(proxy.requests.every(({ path }) => path === '/main'));
  capture.apply({ cameras: [camera(proxy, right)], recording });
  await live(capture);
  assert.equal(proxy.wrongLogins(), 1);
  await capture.stop();
});

test('a refused login is tried again by itself, once each time, and is live when the camera takes it', async (t) => {
  const proxy = await proxyOf(t, { login: right });
  const capture = guarded.rig.capture({
    main: proxy.mainUrl,
    sub: proxy.subUrl,
    cameras: [camera(proxy, wrong)],
    loginWaitsMs: [300],
  });
  await capture.start();
  await until('the third try', () => proxy.wrongLogins() >= 3);
  const tries = proxy.requests.filter(({ login }) => login === 'wrong').map(({ atMs }) => atMs);
  for (const [index, at] of tries.slice(1).entries()) assert.ok(at - (tries[index] ?? 0) >= 300);
  proxy.change({ login: wrong, cameraPort: guarded.port });
  await live(capture);
  assert.equal(state(capture).detail, null);
  await capture.stop();
});

test('an agent that starts again and again does not send a refused login each time', async (t) => {
  const proxy = await proxyOf(t, { login: right });
  const loginsFile = join(guarded.rig.dir, 'camera-logins.json');
  for (let start = 0; start < 3; start++) {
    const capture = guarded.rig.capture({
      main: proxy.mainUrl,
      sub: proxy.subUrl,
      cameras: [camera(proxy, wrong)],
      loginsFile,
      loginWaitsMs: [HOUR],
    });
    await capture.start();
    await until('the sentence', () => /refuses the login/.test(state(capture).detail ?? ''));
    await capture.stop();
  }
  assert.equal(proxy.wrongLogins(), 1);
});

test('each stream may have a login of its own', async (t) => {
  const sub = { username: 'other', password: 'second' };
  const mainProxy = await proxyOf(t, { login: right });
  const subProxy = await proxyOf(t, { login: sub });
  const capture = guarded.rig.capture({
    main: mainProxy.mainUrl,
    sub: subProxy.subUrl,
    cameras: [
      {
        config: { id: 'gate', main: mainProxy.mainUrl, sub: subProxy.subUrl, sensitivity: 5 },
        credential: right,
        subCredential: sub,
      },
    ],
  });
  await capture.start();
  await live(capture);
  assert.deepEqual([mainProxy.wrongLogins(), subProxy.wrongLogins()], [0, 0]);
  await capture.stop();
});

test('a camera that lets us look but not watch is left alone after the first refusal', async (t) => {
  const proxy = await proxyOf(t, { answers: { SETUP: 401 } });
  const capture = guarded.rig.capture({
    main: proxy.mainUrl,
    sub: proxy.subUrl,
    cameras: [camera(proxy, right)],
    loginWaitsMs: [HOUR],
  });
  await capture.start();
  await until('the sentence', () =>
    /refuses the login; tried again after 60 min/.test(state(capture).detail ?? ''),
  );
  await capture.stop();
});

// Each waits for a capture process of its own.
describe('answers of cameras', { concurrency: 3 }, () => {
  for (const [phase, answer, words] of [
    ['SETUP', 461, /461, the camera does not send over TCP/],
    ['SETUP', 453, /453, the camera has too many viewers/],
    ['SETUP', 'reset', /broke off the connection/],
    ['PLAY', 454, /454, the camera forgot the session/],
    ['PLAY', 503, /503, the camera is too busy/],
    ['PLAY', 'reset', /broke off the connection/],
    ['DESCRIBE', 'reset', /broke off the connection/],
  ] as const)
    test(`${answer} in answer to ${phase} becomes a sentence`, async (t) => {
      const proxy = await proxyOf(t, { answers: { [phase]: answer } });
      const capture = guarded.rig.capture({
        main: proxy.mainUrl,
        sub: proxy.subUrl,
        cameras: [camera(proxy, undefined)],
      });
      await capture.start();
      const detail = await until('a reason', () => state(capture).detail ?? undefined);
      assert.match(detail, words);
      assert.doesNotMatch(detail, /\.c\b|gst|Gst|\(\d/);
      await capture.stop();
    });
});
