import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Capture } from '../../../agent/capture/capture.ts';
import { type CameraSimulator, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';
import { type CaptureRig, createRig, decodeComplaints, probe, until } from './capture-rig.ts';

/** A box walks through the picture again and again. */
let rig: CaptureRig;
let video: string;

before(async () => {
  rig = await createRig();
  video = join(rig.dir, 'walks.mp4');
  await makeVideo(video, { seconds: 8, fps: 10, fromS: 1, toS: 7 });
});
after(() => rig?.close());

const LONG = { preRollMs: 2000, postRollMs: 60_000 };
const state = (capture: Capture) => capture.status()[0] ?? assert.fail();
const live = (capture: Capture) =>
  until('a live camera', () => state(capture).state === 'live' && state(capture));
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function withCamera(
  settings: { port?: number },
  act: (camera: CameraSimulator) => Promise<void>,
): Promise<void> {
  const camera = await startCamera({ video, leadInS: 3, cacheDir: rig.dir, ...settings });
  try {
    await act(camera);
  } finally {
    await camera.stop();
  }
}

const open = () => {
  const since = rig.kept.length;
  return {
    first: () => rig.kept[since],
    /** A clip with at least so many bytes on disk. */
    growing: (bytes: number) =>
      until('a clip that grows', async () => {
        const clip = rig.kept[since];
        const size = clip
          ? await stat(clip.file).then(
              ({ size }) => size,
              () => 0,
            )
          : 0;
        return size >= bytes && clip;
      }),
  };
};

test('a capture process that is killed in mid-clip loses at most a torn tail, and is forked again', () =>
  withCamera({}, async (camera) => {
    const capture = rig.capture({ main: camera.mainUrl, sub: camera.subUrl, recording: LONG });
    const clips = open();
    await capture.start();
    const { pid } = await live(capture);
    const clip = await clips.growing(100_000);
    process.kill(pid ?? 0, 'SIGKILL');
    const { reason, recovered } = await until('the clip to be given up', () => clip.abandoned);
    assert.match(reason, /SIGKILL/);
    assert.ok(recovered && recovered.bytes >= 90_000 && recovered.durationMs >= 2000);
    assert.equal((await readFile(clip.file)).length, recovered.bytes);
    assert.equal(await decodeComplaints(clip.file), '');
    assert.ok(Math.abs((await probe(clip.file)).durationMs - recovered.durationMs) <= 150);
    await until('another process', () => state(capture).state === 'live' && state(capture).pid !== pid);
    await capture.stop();
  }));

test('a camera that freezes is stalled, its clip is closed and kept, and it is live again when it thaws', () =>
  withCamera({}, async (camera) => {
    const capture = rig.capture({ main: camera.mainUrl, sub: camera.subUrl, recording: LONG });
    const clips = open();
    await capture.start();
    const { pid } = await live(capture);
    const clip = await clips.growing(100_000);
    camera.kill('SIGSTOP');
    await until('a stall', () => state(capture).state === 'stalled');
    const written = await until('the clip to be closed', () => clip.written);
    assert.equal(written.bytes, (await stat(clip.file)).size);
    assert.equal(await decodeComplaints(clip.file), '');
    await until('a new process', () => state(capture).pid !== pid);
    assert.match(
      state(capture).detail ?? '',
      /^camera gate, (main|sub) stream: the picture stands still for \d+ s$/,
    );
    camera.kill('SIGCONT');
    await live(capture);
    await capture.stop();
  }));

test('a camera that loses power and comes back is live again; the clip it cut short is kept', async () => {
  let capture: Capture | undefined;
  let port = 0;
  const clips = open();
  await withCamera({}, async (camera) => {
    port = Number(new URL(camera.mainUrl).port);
    capture = rig.capture({ main: camera.mainUrl, sub: camera.subUrl, recording: LONG });
    await capture.start();
    await live(capture);
    await clips.growing(100_000);
    camera.kill('SIGKILL');
    await camera.exited;
  });
  const running = capture ?? assert.fail();
  await until('the clip to be closed', () => clips.first()?.written);
  await until('no connection', () => /no connection/.test(state(running).detail ?? ''));
  await withCamera({ port }, async () => {
    await live(running);
    assert.equal(state(running).detail, null);
    await running.stop();
  });
});

test('stopping ends a running clip early, seals it, and leaves no process', () =>
  withCamera({}, async (camera) => {
    const capture = rig.capture({ main: camera.mainUrl, sub: camera.subUrl, recording: LONG });
    const clips = open();
    await capture.start();
    const { pid } = await live(capture);
    const clip = await clips.growing(100_000);
    await capture.stop();
    assert.equal(clip.abandoned, undefined);
    assert.equal(clip.written?.bytes, (await stat(clip.file)).size);
    assert.equal(await decodeComplaints(clip.file), '');
    assert.equal(alive(pid ?? 0), false);
    assert.equal(state(capture).state, 'stalled');
  }));

test('a stopped capture process, which hears nothing, is killed and forked again', () =>
  withCamera({}, async (camera) => {
    const capture = rig.capture({
      main: camera.mainUrl,
      sub: camera.subUrl,
      timings: { heartbeatMs: 200, stalledMs: 2500, giveUpMs: 5000, killMs: 6000, stopMs: 3000 },
    });
    await capture.start();
    const { pid } = await live(capture);
    process.kill(pid ?? 0, 'SIGSTOP');
    await until('a stall', () => state(capture).state === 'stalled');
    await until('another process', () => state(capture).state === 'live' && state(capture).pid !== pid);
    assert.equal(alive(pid ?? 0), false);
    await capture.stop();
  }));

test('a capture process does not outlive an agent that is killed', () =>
  withCamera({}, async (camera) => {
    const program = new URL('capture-parent.ts', import.meta.url);
    const parent = fork(program, [camera.mainUrl, camera.subUrl], { execArgv: [] });
    const [pid] = (await once(parent, 'message')) as [number];
    assert.ok(alive(pid));
    parent.kill('SIGKILL');
    await until('the child to be gone', () => !alive(pid));
  }));

test('a stream that is not there and a camera that is not there are told apart in plain words', () =>
  withCamera({}, async (camera) => {
    const missing = rig.capture({ main: `${camera.mainUrl}-not`, sub: camera.subUrl });
    await missing.start();
    await until('a reason', () => state(missing).detail);
    assert.equal(
      state(missing).detail,
      'camera gate, main stream: 404, the camera has no stream at this address',
    );
    await missing.stop();
    // No program listens at port 1.
    const off = rig.capture({ main: 'rtsp://127.0.0.1:1/main', sub: 'rtsp://127.0.0.1:1/sub' });
    await off.start();
    await until('a reason', () => state(off).detail);
    assert.match(
      state(off).detail ?? '',
      /^camera gate, (main|sub) stream: no connection; the device is there, but nothing answers at this port/,
    );
    await off.stop();
  }));
