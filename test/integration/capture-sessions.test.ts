import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { Capture } from '../../agent/capture/capture.ts';
import { type CameraSimulator, startCamera } from '../../hardware/simulators/camera/camera.ts';
import { type DoorWish, openDoor, type RtspDoor } from '../../hardware/simulators/camera/rtsp-door.ts';
import { makeVideo } from '../fakes/media.ts';
import { type CaptureRig, createRig, decodeComplaints, until } from './capture-rig.ts';

/** Cameras that are particular about logins and sessions. */
let rig: CaptureRig;
let behind: CameraSimulator;
before(async () => {
  rig = await createRig();
  const video = join(rig.dir, 'walks.mp4');
  await makeVideo(video, { seconds: 8, fps: 10, fromS: 1, toS: 7 });
  behind = await startCamera({ video, leadInS: 3, cacheDir: rig.dir });
});
after(async () => {
  await rig?.close();
  await behind?.stop();
});

const login = { username: 'viewer', password: 'p@ss %/?#:ä' };
const state = (capture: Capture) => capture.status()[0] ?? assert.fail();
async function doorOf(t: TestContext, wish: DoorWish): Promise<RtspDoor> {
  const door = await openDoor({ cameraPort: Number(new URL(behind.mainUrl).port), ...wish });
  t.after(() => door.stop());
  return door;
}
const captureOf = (door: RtspDoor) =>
  rig.capture({
    main: door.mainUrl,
    sub: door.subUrl,
    cameras: [
      { config: { id: 'gate', main: door.mainUrl, sub: door.subUrl, sensitivity: 5 }, credential: login },
    ],
  });

test('a camera that takes only Digest SHA-256 is live, and its clips decode', async (t) => {
  const door = await doorOf(t, { login, schemes: ['sha-256'] });
  const capture = captureOf(door);
  const since = rig.kept.length;
  await capture.start();
  await until('a live camera', () => state(capture).state === 'live');
  const clip = await until('a clip', () => rig.kept.slice(since).find((one) => one.written));
  await capture.stop();
  assert.equal(await decodeComplaints(clip.file), '');
  assert.equal(door.wrongLogins(), 0);
});

// They mostly wait for sessions to run out.
describe('sessions', { concurrency: true }, () => {
  for (const [what, answers] of [
    ['requests', {}],
    ['requests and does not know GET_PARAMETER', { GET_PARAMETER: 501 }],
  ] as const)
    test(`a camera that counts only ${what} keeps its first session`, async (t) => {
      const door = await doorOf(t, { login, sessionTimeoutS: 6, answers });
      const capture = captureOf(door);
      await capture.start();
      /** Requests behind PLAY, by connection. */
      const beats = () => {
        const counts = new Map<number, number>();
        for (const { connection, method } of door.requests)
          if (method === 'PLAY') counts.set(connection, 0);
          else if (counts.has(connection)) counts.set(connection, (counts.get(connection) ?? 0) + 1);
        return [...counts.values()];
      };
      // Two sessions' worth of requests on each stream.
      const enough = () => beats().length >= 2 && beats().every((count) => count >= 4);
      await until('keep-alive requests on both streams', enough, 120_000);
      assert.equal(beats().length, 2, 'each stream was asked for once');
      assert.equal(door.expired(), 0, 'no session ran out');
      assert.equal(state(capture).state, 'live');
      assert.equal(door.wrongLogins(), 0);
      await capture.stop();
    });
});

test('when the agent stops, the camera is told that its sessions are over', async (t) => {
  const door = await doorOf(t, { login });
  const capture = captureOf(door);
  await capture.start();
  await until('a live camera', () => state(capture).state === 'live');
  await capture.stop();
  const farewells = () => door.requests.filter(({ method }) => method === 'TEARDOWN').length;
  await until('a farewell on each stream', () => farewells() === 2);
});
