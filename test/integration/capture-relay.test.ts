import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { Capture } from '../../agent/capture/capture.ts';
import { openRelay } from '../../agent/capture/rtsp-relay.ts';
import { type CameraSimulator, startCamera } from '../../hardware/simulators/camera/camera.ts';
import { type DoorWish, openDoor, type RtspDoor } from '../../hardware/simulators/camera/rtsp-door.ts';
import { makeVideo } from '../fakes/media.ts';
import { type CaptureRig, createRig, decodeComplaints, until } from './capture-rig.ts';

/** Cameras that GStreamer cannot serve alone. */
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
    test(`a camera that counts only ${what} keeps its session by way of the relay`, async (t) => {
      const door = await doorOf(t, { login, sessionTimeoutS: 6, answers });
      const capture = captureOf(door);
      await capture.start();
      /** Requests behind PLAY, by connection. */
      const beats = () => {
        const counts = new Map<number, number>();
        for (const { connection, method } of door.requests)
          if (method === 'PLAY') counts.set(connection, 0);
          else if (counts.has(connection)) counts.set(connection, (counts.get(connection) ?? 0) + 1);
        return [...counts.values()].filter((count) => count > 0);
      };
      // GStreamer 1.22 asks for nothing while pictures flow: the first sessions run out.
      await until('keep-alive requests on both streams', () => beats().length >= 2, 120_000);
      const before = door.expired();
      // Two sessions' worth of requests on each stream.
      await until(
        'more of them',
        () =>
          beats()
            .slice(-2)
            .every((count) => count >= 4),
        120_000,
      );
      assert.equal(door.expired(), before, 'no session ran out meanwhile');
      assert.equal(state(capture).state, 'live');
      await capture.stop();
    });
});

test('a login that the relay is refused is sent once, and the source does not repeat it', async (t) => {
  const door = await doorOf(t, { login, schemes: ['sha-256'] });
  const relay = await openRelay(door.mainUrl, { ...login, password: 'wrong' });
  t.after(() => relay.close());
  const source = connect(Number(new URL(relay.address).port), '127.0.0.1');
  t.after(() => source.destroy());
  let said = '';
  source.setEncoding('latin1').on('data', (text: string) => (said += text));
  source.write(`DESCRIBE ${relay.address} RTSP/1.0\r\nCSeq: 3\r\n\r\n`);
  await until('the answer', () => said.endsWith('\r\n\r\n'));
  assert.match(said, /^RTSP\/1\.0 401 /);
  assert.match(said, /^CSeq: 3$/m);
  assert.doesNotMatch(said, /WWW-Authenticate/i);
  assert.equal(door.wrongLogins(), 1);
});

test('who does not know the address of the relay gets nothing, and the camera hears nothing of it', async (t) => {
  const door = await doorOf(t, { login });
  const relay = await openRelay(door.mainUrl, login);
  t.after(() => relay.close());
  const { port } = new URL(relay.address);
  const stranger = connect(Number(port), '127.0.0.1');
  let closed = false;
  stranger.on('error', () => undefined).on('close', () => (closed = true));
  stranger.write(`DESCRIBE rtsp://127.0.0.1:${port}/main RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
  await until('the end of the connection', () => closed);
  assert.equal(door.connections(), 0);
});
