import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RtspProxy } from '../../../hardware/simulators/camera/rtsp-proxy.ts';
import { decodeComplaints, until } from './capture-rig.ts';
import { live, state, useGuardedCamera } from './rig/guarded-camera.ts';

const guarded = useGuardedCamera();
const { proxyOf } = guarded;

const login = { username: 'viewer', password: 'p@ss %/?#:ä' };
const captureOf = (proxy: RtspProxy) =>
  guarded.rig.capture({
    main: proxy.mainUrl,
    sub: proxy.subUrl,
    cameras: [
      { config: { id: 'gate', main: proxy.mainUrl, sub: proxy.subUrl, sensitivity: 5 }, credential: login },
    ],
  });

test('a camera that takes only Digest SHA-256 is live, and its clips decode', async (t) => {
  const proxy = await proxyOf(t, { login, schemes: ['sha-256'] });
  const capture = captureOf(proxy);
  const since = guarded.rig.kept.length;
  await capture.start();
  await live(capture);
  const clip = await until('a clip', () => guarded.rig.kept.slice(since).find((one) => one.written));
  await capture.stop();
  assert.equal(await decodeComplaints(clip.file), '');
  assert.equal(proxy.wrongLogins(), 0);
});

/** A busy machine does not come to a request for seconds. */
const SESSION_S = 16;

// They mostly wait for sessions to run out.
describe('sessions', { concurrency: true }, () => {
  for (const [what, answers] of [
    ['requests', {}],
    ['requests and does not know GET_PARAMETER', { GET_PARAMETER: 501 }],
  ] as const)
    test(`a camera that counts only ${what} keeps its first session`, async (t) => {
      const proxy = await proxyOf(t, { login, sessionTimeoutS: SESSION_S, answers });
      const capture = captureOf(proxy);
      await capture.start();
      /** Requests behind PLAY, by connection. */
      const beats = () => {
        const counts = new Map<number, number>();
        for (const { connection, method } of proxy.requests)
          if (method === 'PLAY') counts.set(connection, 0);
          else if (counts.has(connection)) counts.set(connection, (counts.get(connection) ?? 0) + 1);
        return [...counts.values()];
      };
      // Two sessions' worth of requests on each stream.
      const enough = () => beats().filter((count) => count >= 4).length >= 2;
      await until('keep-alive requests on both streams', () => proxy.expired() > 0 || enough(), 240_000);
      assert.equal(proxy.expired(), 0, 'no session ran out');
      assert.equal(state(capture).state, 'live');
      assert.equal(proxy.wrongLogins(), 0);
      await capture.stop();
    });
});

test('when the agent stops, the camera is told that its sessions are over', async (t) => {
  const proxy = await proxyOf(t, { login });
  const capture = captureOf(proxy);
  const count = (wanted: string) => proxy.requests.filter(({ method }) => method === wanted).length;
  await capture.start();
  await live(capture);
  await until('both streams are played', () => count('PLAY') >= 2);
  const before = count('TEARDOWN');
  await capture.stop();
  await until('a farewell on each stream', () => count('TEARDOWN') - before >= 2);
});
