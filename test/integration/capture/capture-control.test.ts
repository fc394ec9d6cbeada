import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Capture, CaptureCamera } from '../../../agent/capture/capture.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import {
  type CameraEvent,
  type CameraSimulator,
  startCamera,
} from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';
import { type CaptureRig, createRig, decodeComplaints, until } from './capture-rig.ts';

/** A box walks through the picture again and again; two seconds between key frames. */
const GOP_MS = 2000;
const ROUND_S = 8;
const LONG = { preRollMs: 2000, postRollMs: 60_000 };

let rig: CaptureRig;
let video: string;
before(async () => {
  rig = await createRig();
  video = join(rig.dir, 'walks.mp4');
  await makeVideo(video, { seconds: ROUND_S, fps: 10, fromS: 1, toS: 7 });
});
after(() => rig?.close());

interface Watched extends CameraSimulator {
  /** How often anybody came or left. */
  visits(): number;
  /** How often the footage began. */
  rounds(): number;
}

async function withCamera(act: (camera: Watched) => Promise<void>): Promise<void> {
  const events: CameraEvent[] = [];
  const onEvent = (event: CameraEvent) => void events.push(event);
  const camera = await startCamera({ video, leadInS: 3, cacheDir: rig.dir, onEvent });
  const count = (kind: CameraEvent['event']) => events.filter(({ event }) => event === kind).length;
  try {
    await act({ ...camera, visits: () => count('viewers'), rounds: () => count('footage-started') });
  } finally {
    await camera.stop();
  }
}

const settings = ({ mainUrl, subUrl }: CameraSimulator, id = 'gate', sensitivity = 5): CaptureCamera => ({
  config: { id, main: mainUrl, sub: subUrl, sensitivity },
  credential: undefined,
});
const urls = ({ mainUrl, subUrl }: CameraSimulator) => ({ main: mainUrl, sub: subUrl });
const state = (capture: Capture, id = 'gate') => capture.status().find(({ cameraId }) => cameraId === id);
const live = (capture: Capture, id = 'gate') =>
  until(`camera ${id} live`, () => state(capture, id)?.state === 'live' && state(capture, id));
const soon = () => AbortSignal.timeout(120_000);

/** The clips that begin from now on. */
function clipsFromNow(cameraId = 'gate') {
  const since = rig.kept.length;
  const all = () => rig.kept.slice(since).filter((clip) => clip.cameraId === cameraId);
  return {
    all,
    /** The nth, when it holds so many bytes. */
    growing: (bytes: number, index = 0) =>
      until('a clip that grows', async () => {
        const clip = all()[index];
        const size = clip && (await stat(clip.file).catch(() => undefined))?.size;
        return size !== undefined && size >= bytes && clip;
      }),
    written: (index: number) => until(`clip ${index} to be written`, () => all()[index]?.written),
  };
}

const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('other lengths and another sensitivity: the clip that runs keeps its length, the next one obeys, and the camera notices nothing', () =>
  withCamera(async (camera) => {
    const capture = rig.capture({ ...urls(camera), recording: { preRollMs: 2000, postRollMs: 4000 } });
    const clips = clipsFromNow();
    await capture.start();
    const { pid } = await live(capture);
    await clips.growing(1);
    const visits = camera.visits();
    capture.apply({
      cameras: [settings(camera, 'gate', 7)],
      recording: { preRollMs: 2000, postRollMs: 9000 },
    });
    const running = await clips.written(0);
    assert.ok(running.durationMs <= 6000 + GOP_MS + 1000, `${running.durationMs} ms`);
    const next = await clips.written(1);
    assert.ok(next.durationMs >= 10_000, `${next.durationMs} ms`);
    assert.ok(next.durationMs <= 11_000 + GOP_MS + 1000, `${next.durationMs} ms`);
    assert.equal(state(capture)?.pid, pid);
    assert.equal(camera.visits(), visits);
    await capture.stop();
  }));

test('a mask over everything and a mask over nothing are obeyed by the running child', () =>
  withCamera(async (camera) => {
    const capture = rig.capture({ ...urls(camera), recording: { preRollMs: 1000, postRollMs: 1000 } });
    const clips = clipsFromNow();
    await capture.start();
    const { pid } = await live(capture);
    await clips.written(0);
    const { config } = settings(camera);
    const polygon: [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    const masked = { ...config, masks: [{ id: 'all', polygon }] };
    const recording = { preRollMs: 1000, postRollMs: 1000 };
    capture.apply({ cameras: [{ config: masked, credential: undefined }], recording });
    await until('the last clip to end', () => state(capture)?.recording === false);
    const seen = clips.all().length;
    const round = camera.rounds();
    await until('a whole walk', () => camera.rounds() >= round + 2);
    assert.equal(clips.all().length, seen);
    capture.apply({ cameras: [settings(camera)], recording });
    await until('a clip without the mask', () => clips.all().length > seen);
    assert.equal(state(capture)?.pid, pid);
    await capture.stop();
  }));

test('cameras come and go; the clip of one that goes is sealed, and one that stays is not disturbed', () =>
  withCamera((camera) =>
    withCamera(async (other) => {
      const capture = rig.capture({ ...urls(camera), recording: LONG });
      const clips = clipsFromNow();
      await capture.start();
      const { pid } = await live(capture);
      capture.apply({ cameras: [settings(camera), settings(other, 'yard')], recording: LONG });
      const yard = await live(capture, 'yard');
      assert.equal(state(capture)?.pid, pid);
      const clip = await clips.growing(100_000);
      capture.apply({ cameras: [settings(other, 'yard')], recording: LONG });
      assert.deepEqual(
        capture.status().map(({ cameraId }) => cameraId),
        ['yard'],
      );
      const written = await clips.written(0);
      assert.equal(written.bytes, (await stat(clip.file)).size);
      assert.equal(await decodeComplaints(clip.file), '');
      assert.equal(state(capture, 'yard')?.pid, yard.pid);
      // It comes back, goes and comes back at once: its last process has ended before the next begins.
      for (const cameras of [[settings(camera)], [], [settings(camera)]])
        capture.apply({ cameras, recording: LONG });
      assert.notEqual((await live(capture)).pid, pid);
      await capture.stop();
    }),
  ));

test('another address: the running clip is sealed, and another process watches the other camera', () =>
  withCamera((old) =>
    withCamera(async (other) => {
      const capture = rig.capture({ ...urls(old), recording: LONG });
      const clips = clipsFromNow();
      await capture.start();
      const { pid } = await live(capture);
      const clip = await clips.growing(100_000);
      capture.apply({ cameras: [settings(other)], recording: LONG });
      const written = await clips.written(0);
      assert.equal(written.bytes, (await stat(clip.file)).size);
      assert.equal(await decodeComplaints(clip.file), '');
      await until('another process', () => state(capture)?.state === 'live' && state(capture)?.pid !== pid);
      assert.ok(other.visits() >= 2);
      await clips.growing(1, 1);
      await capture.stop();
    }),
  ));

test('a camera that is down is tried at once when its address changes', () =>
  withCamera(async (camera) => {
    const capture = rig.capture({
      main: `${camera.mainUrl}-not`,
      sub: camera.subUrl,
      backoff: { minMs: 600_000, maxMs: 600_000 },
    });
    await capture.start();
    await until('a reason', () => state(capture)?.state === 'unsupported');
    capture.apply({ cameras: [settings(camera)], recording: LONG });
    await live(capture);
    await capture.stop();
  }));

test('a pause seals the clip that runs with all that came, none begins although something moves, a resume records again', () =>
  withCamera(async (camera) => {
    const capture = rig.capture({ ...urls(camera), recording: LONG });
    const clips = clipsFromNow();
    await capture.start();
    const { pid } = await live(capture);
    const clip = await clips.growing(100_000);
    const pausedMs = Date.now();
    await Promise.all([capture.pause(soon()), capture.pause(soon())]);
    const written = clip.written ?? assert.fail('the pause did not wait for the clip');
    assert.equal(written.bytes, (await readFile(clip.file)).length);
    assert.equal(await decodeComplaints(clip.file), '');
    // A fragment is a second, and comes a picture after its end; on a busy machine pictures come late.
    assert.ok(written.startedMs + written.durationMs > pausedMs - 6000);
    await assert.rejects(capture.recordNow('gate', soon()), refusedWith('capture.paused'));
    const round = camera.rounds();
    await until('a whole walk', () => camera.rounds() >= round + 2);
    assert.equal(clips.all().length, 1);
    assert.equal(state(capture)?.state, 'live');
    await capture.pause(soon());
    capture.resume();
    await clips.growing(1, 1);
    assert.equal(state(capture)?.pid, pid);
    await capture.stop();
  }));

test('a child that is forked during a pause is paused, too', () =>
  withCamera(async (camera) => {
    const capture = rig.capture({ ...urls(camera), recording: LONG });
    const clips = clipsFromNow();
    await capture.start();
    const { pid } = await live(capture);
    await capture.pause(soon());
    const before = clips.all().length;
    process.kill(pid ?? 0, 'SIGKILL');
    await until('another process', () => state(capture)?.state === 'live' && state(capture)?.pid !== pid);
    const round = camera.rounds();
    await until('a whole walk', () => camera.rounds() >= round + 2);
    assert.equal(clips.all().length, before);
    capture.resume();
    await clips.growing(1, before);
    await capture.stop();
  }));

test('a child that does not pause is killed, and what it wrote is kept', () =>
  withCamera(async (camera) => {
    const timings = { heartbeatMs: 200, stalledMs: 4000, giveUpMs: 8000, killMs: 60_000, stopMs: 1500 };
    const capture = rig.capture({ ...urls(camera), recording: LONG, timings });
    const clips = clipsFromNow();
    await capture.start();
    const { pid } = await live(capture);
    const clip = await clips.growing(100_000);
    process.kill(pid ?? 0, 'SIGSTOP');
    await capture.pause(soon());
    assert.match(clip.abandoned?.reason ?? '', /did not close its clip in time and was killed/);
    assert.ok(clip.abandoned?.recovered && clip.abandoned.recovered.bytes >= 90_000);
    assert.equal(await decodeComplaints(clip.file), '');
    await capture.stop();
  }));

test('a pause of a camera that is not there is over at once', async () => {
  const capture = rig.capture({ main: 'rtsp://127.0.0.1:1/main', sub: 'rtsp://127.0.0.1:1/sub' });
  await capture.start();
  await until('a reason', () => state(capture)?.state === 'unreachable');
  await capture.pause(soon());
  capture.resume();
  await capture.pause(soon());
  await assert.rejects(capture.snapshot('gate', soon()), refusedWith('capture.no-picture'));
  await capture.stop();
});
