import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Line } from '@dachawatch/contracts';
import type { Capture, Snapshot } from '../../../agent/capture/capture.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import {
  type CameraEvent,
  type CameraSimulator,
  startCamera,
} from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';
import { type CaptureRig, createRig, probe, until } from './capture-rig.ts';

/** The picture becomes evenly brighter, from black to white, so its brightness tells its time. */
const RAMP_S = 30;
const GOP_MS = 2000;

/** Nothing crosses it. */
const FAR: Line = { id: 'far', from: [0, 0], to: [0.01, 0], direction: 'both' };

let rig: CaptureRig;
let camera: CameraSimulator;
let capture: Capture;
const roundsMs: number[] = [];
before(async () => {
  rig = await createRig();
  const video = join(rig.dir, 'ramp.mp4');
  await makeVideo(video, { seconds: RAMP_S, fps: 10, kind: 'ramp' });
  const onEvent = ({ event, atMs }: CameraEvent) => void (event === 'footage-started' && roundsMs.push(atMs));
  camera = await startCamera({ video, cacheDir: rig.dir, onEvent });
  capture = rig.capture({
    cameras: [
      {
        // Nothing in it starts a recording by itself.
        config: {
          id: 'gate',
          main: camera.mainUrl,
          sub: camera.subUrl,
          sensitivity: 1,
          zones: [],
          lines: [FAR],
        },
        credential: undefined,
      },
    ],
    main: camera.mainUrl,
    sub: camera.subUrl,
  });
  await capture.start();
  await until('a live camera', () => capture.status()[0]?.state === 'live');
});
after(async () => {
  await capture?.stop();
  await camera?.stop();
  await rig?.close();
});

const soon = () => AbortSignal.timeout(120_000);
const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

/** Decoded by ffmpeg: its size, and its mean brightness from 0 to 1. */
async function decoded({ jpeg }: Snapshot): Promise<{ size: string; brightness: number }> {
  const ffmpeg = spawn('ffmpeg', [
    ...['-v', 'error', '-f', 'mjpeg', '-i', '-', '-frames:v', '1'],
    ...['-f', 'image2pipe', '-c:v', 'pgm', '-pix_fmt', 'gray', '-'],
  ]);
  const parts: Buffer[] = [];
  ffmpeg.stdout.on('data', (part: Buffer) => parts.push(part));
  ffmpeg.stdin.end(jpeg);
  const [code] = (await once(ffmpeg, 'close')) as [number];
  assert.equal(code, 0);
  const pgm = Buffer.concat(parts);
  const [header = '', size = ''] = /^P5\s+(\d+ \d+)\s+255\s/.exec(pgm.toString('latin1', 0, 40)) ?? [];
  const pixels = pgm.subarray(header.length);
  return { size, brightness: pixels.reduce((sum, level) => sum + level, 0) / pixels.length / 255 };
}

/** How far the picture is from what the camera showed when it says it was taken, milliseconds. */
async function lagMs(snapshot: Snapshot): Promise<number> {
  const startedMs = roundsMs.findLast((atMs) => atMs <= snapshot.takenMs) ?? assert.fail('not yet playing');
  const { brightness } = await decoded(snapshot);
  return snapshot.takenMs - startedMs - brightness * RAMP_S * 1000;
}

test('a snapshot is the picture that the camera shows now, in the size of the sub-stream, small enough to be sent', async (t) => {
  for (let n = 0; n < 3; n++) {
    // Away from the beginning, where the picture jumps from white to black.
    await until('the middle of the ramp', () => {
      const sinceMs = Date.now() - (roundsMs.at(-1) ?? Date.now());
      return sinceMs > (5 + 5 * n) * 1000 && sinceMs < (RAMP_S - 3) * 1000;
    });
    const snapshot = await capture.snapshot('gate', soon());
    assert.ok(snapshot.jpeg.length <= 90_000);
    assert.deepEqual([snapshot.widthPx, snapshot.heightPx], [640, 360]);
    assert.equal((await decoded(snapshot)).size, '640 360');
    const lag = await lagMs(snapshot);
    t.diagnostic(`${snapshot.jpeg.length} bytes, ${Math.round(lag)} ms beside the truth`);
    // Never before it was shown: a picture with the levels of video would seem to be, by a second at the first look.
    assert.ok(lag > -500 && lag < 2000, `${lag} ms beside the truth`);
  }
});

test('several who ask at once share one picture', async () => {
  const asked = Array.from({ length: 5 }, () => capture.snapshot('gate', soon()));
  const [first, ...others] = await Promise.all(asked);
  for (const other of others) assert.equal(other, first);
});

test('who gives up does not take the picture from the others', async () => {
  const patience = new AbortController();
  const given = capture.snapshot('gate', patience.signal);
  const kept = capture.snapshot('gate', soon());
  patience.abort();
  await assert.rejects(given, refusedWith('capture.deadline'));
  assert.equal((await kept).widthPx, 640);
});

test('a camera that nobody knows is refused by name', async () => {
  await assert.rejects(capture.snapshot('attic', soon()), refusedWith('capture.unknown-camera'));
  await assert.rejects(capture.recordNow('attic', soon()), refusedWith('capture.unknown-camera'));
});

test('a clip at a person’s request has its pre-roll and full length; asked again while it runs, it is the same clip', async () => {
  const since = rig.kept.length;
  const clipId = await capture.recordNow('gate', soon());
  assert.equal(await capture.recordNow('gate', soon()), clipId);
  assert.deepEqual(
    rig.kept.slice(since).map((clip) => [clip.clipId, clip.cause.kind]),
    [[clipId, 'request']],
  );
  const clip = rig.kept[since] ?? assert.fail();
  const { preRollMs, durationMs } = await until('the clip to be written', () => clip.written);
  assert.ok(preRollMs >= 1900 && preRollMs <= 2000 + GOP_MS + 1000, `pre-roll ${preRollMs} ms`);
  assert.ok(durationMs >= 6000 && durationMs <= 6000 + GOP_MS + 1000, `${durationMs} ms`);
  assert.ok(Math.abs((await probe(clip.file)).durationMs - durationMs) <= 150);
});

test('a frozen camera gives no picture, not an old one, and the next one when it thaws', async () => {
  camera.setFault('freeze');
  await camera.event((event) => event.event === 'fault');
  try {
    await until('a stall', () => capture.status()[0]?.state !== 'live');
    await assert.rejects(capture.snapshot('gate', soon()), refusedWith('capture.no-picture'));
  } finally {
    camera.setFault(null);
  }
  await until('a live camera', () => capture.status()[0]?.state === 'live');
  const snapshot = await capture.snapshot('gate', soon());
  assert.equal((await decoded(snapshot)).size, '640 360');
});

test('without room for a clip, a request is told so', async () => {
  const full = rig.capture({
    main: camera.mainUrl,
    sub: camera.subUrl,
    store: {
      open: () => undefined,
      written: () => undefined,
      thumbnail: () => undefined,
      abandoned: async () => undefined,
    },
  });
  await full.start();
  await until('a live camera', () => full.status()[0]?.state === 'live');
  await assert.rejects(full.recordNow('gate', soon()), refusedWith('capture.no-room'));
  await full.stop();
});
