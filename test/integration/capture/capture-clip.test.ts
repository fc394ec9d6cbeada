import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type CameraEvent,
  type CameraSimulator,
  startCamera,
} from '../../../hardware/simulators/camera/camera.ts';
import { prepareFootage } from '../../../hardware/simulators/camera/footage.ts';
import { launchBrowser } from '../../fakes/browser.ts';
import { makeVideo } from '../../fakes/media.ts';
import {
  type CaptureRig,
  createRig,
  decodeComplaints,
  type Kept,
  probe,
  sliceHashes,
  until,
} from './capture-rig.ts';

/** A box walks through the picture from 6 s to 12 s of the footage, again and again. Two seconds between key frames. */
const ENTERS_S = 6;
const FPS = 10;
const GOP_MS = 2000;

const PRE_ROLL_MS = 2000;
const onEvent = ({ event, atMs }: CameraEvent) =>
  void (event === 'footage-started' && footageStartedMs.push(atMs));

let rig: CaptureRig;
let camera: CameraSimulator;
let video: string;
const footageStartedMs: number[] = [];
let clip: Kept;

before(async () => {
  rig = await createRig();
  video = join(rig.dir, 'walk.mp4');
  await makeVideo(video, { seconds: 14, fps: FPS, fromS: ENTERS_S, toS: 12 });
  camera = await startCamera({ video, leadInS: 4, cacheDir: rig.dir, onEvent });
  const capture = rig.capture({ main: camera.mainUrl, sub: camera.subUrl });
  await capture.start();
  // The first clip may begin sooner than its pre-roll on a busy machine, a later one goes on from the last.
  const whole = () => rig.kept.find(({ written }) => written && written.preRollMs >= PRE_ROLL_MS - 100);
  clip = await until('a clip with its whole pre-roll', whole, 90_000);
  await capture.stop();
});
after(async () => {
  await camera?.stop();
  await rig?.close();
});

test('the clip is as long as pre-roll and post-roll, give or take a group of pictures', async () => {
  const { durationMs, preRollMs } = clip.written ?? assert.fail();
  assert.ok(durationMs >= 6000 && durationMs <= 6000 + GOP_MS + 1000, `${durationMs} ms`);
  assert.ok(preRollMs <= PRE_ROLL_MS + GOP_MS + 1000, `pre-roll ${preRollMs} ms`);
});

test('what is reported is what is on disk', async () => {
  const bytes = await readFile(clip.file);
  assert.equal(clip.written?.bytes, bytes.length);
  assert.equal(clip.written?.sha256, createHash('sha256').update(bytes).digest('hex'));
  const probed = await probe(clip.file);
  assert.ok(Math.abs(probed.durationMs - (clip.written?.durationMs ?? 0)) <= 150, `${probed.durationMs}`);
  assert.equal(probed.startMs, 0);
  assert.deepEqual(probed.codecs, ['h264']);
  assert.equal(probed.frames, Math.round(probed.durationMs / (1000 / FPS)));
});

test('the clip has a small picture, in colour, that shows what moves', async (t) => {
  const { thumbnail } = clip;
  assert.ok(thumbnail, 'no picture came');
  assert.ok(thumbnail.length <= 10_000, `${thumbnail.length} bytes`);
  const { widthPx, heightPx, boxShare } = await boxIn(thumbnail);
  t.diagnostic(`${thumbnail.length} bytes, ${boxShare} of the picture is the box`);
  assert.deepEqual([widthPx, heightPx], [320, 180]);
  // A thirtieth of the picture when it is in it as a whole.
  assert.ok(boxShare > 0.5 / 30 && boxShare < 1.3 / 30, `${boxShare} of the picture is the box`);
});

/** Decoded by ffmpeg: its size, and how much of it has the red of the box. */
async function boxIn(jpeg: Buffer) {
  const ffmpeg = spawn('ffmpeg', [
    ...['-v', 'error', '-f', 'mjpeg', '-i', '-', '-frames:v', '1'],
    ...['-f', 'image2pipe', '-c:v', 'ppm', '-'],
  ]);
  const parts: Buffer[] = [];
  ffmpeg.stdout.on('data', (part: Buffer) => parts.push(part));
  ffmpeg.stdin.end(jpeg);
  const [code] = (await once(ffmpeg, 'close')) as [number];
  assert.equal(code, 0);
  const ppm = Buffer.concat(parts);
  const [header = '', width, height] = /^P6\s+(\d+) (\d+)\s+255\s/.exec(ppm.toString('latin1', 0, 40)) ?? [];
  const pixels = ppm.subarray(header.length);
  let red = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    const [r = 0, g = 0, b = 0] = pixels.subarray(at, at + 3);
    if (r > g + 60 && r > b + 60) red++;
  }
  return { widthPx: Number(width), heightPx: Number(height), boxShare: (red * 3) / pixels.length };
}

test('ffprobe and a full decode have nothing to complain about', async () => {
  assert.equal((await probe(clip.file)).warnings, '');
  assert.equal(await decodeComplaints(clip.file), '');
});

test('the coded pictures are the camera’s own, byte for byte and without a hole, beginning with a key frame', async () => {
  const footage = await prepareFootage({ video, cacheDir: rig.dir });
  const sent = new Map((await sliceHashes(footage.mainFile)).map(({ hash }, index) => [hash, index]));
  const recorded = await sliceHashes(clip.file);
  assert.equal(recorded[0]?.key, true);
  const places = recorded.map(({ hash }) => sent.get(hash));
  const first = places[0] ?? assert.fail('the first picture is not one of the camera');
  const { gopFrames, footageFrames } = footage;
  // The footage begins behind one still group of pictures, and again when it ends.
  const wrap = (place: number) => gopFrames + ((place - gopFrames) % footageFrames);
  assert.deepEqual(
    places,
    places.map((_, index) => wrap(first + index)),
  );
  assert.ok(places.length >= 6 * FPS);
});

test('the first picture was really shown when the clip says it began', async (t) => {
  const footage = await prepareFootage({ video, cacheDir: rig.dir });
  const sent = (await sliceHashes(footage.mainFile)).map(({ hash }) => hash);
  const [first] = await sliceHashes(clip.file);
  // One group of pictures stands before the footage itself.
  const place = sent.indexOf(first?.hash ?? '') - footage.gopFrames;
  const roundMs = footageStartedMs.findLast((atMs) => atMs <= clip.triggeredMs) ?? 0;
  const shownMs = roundMs + (place * 1000) / FPS;
  const saidMs = clip.written?.startedMs ?? 0;
  t.diagnostic(`said ${Math.round(saidMs - shownMs)} ms beside the truth`);
  assert.ok(Math.abs(saidMs - shownMs) < 1000, `said ${saidMs - shownMs} ms beside the truth`);
  const seenMs = clip.triggeredMs - roundMs;
  assert.ok(
    seenMs > ENTERS_S * 1000 && seenMs < (ENTERS_S + 6) * 1000,
    `triggered ${seenMs} ms into the footage`,
  );
});

test('Chromium plays the clip to its end and jumps in it', async () => {
  const bytes = await readFile(clip.file);
  const server = createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><video muted></video>');
      return;
    }
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const end = to ? Number(to) : bytes.length - 1;
    response.writeHead(206, {
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      'content-range': `bytes ${from}-${end}/${bytes.length}`,
    });
    response.end(bytes.subarray(Number(from), end + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const seen = await page.evaluate(PLAY);
    assert.ok(
      Math.abs(seen.durationS * 1000 - (clip.written?.durationMs ?? 0)) <= 150,
      `${seen.durationS} s`,
    );
    assert.equal(seen.width, 640);
    assert.ok(Math.abs(seen.jumpedS - seen.durationS / 2) < 0.2, `jumped to ${seen.jumpedS}`);
    assert.ok(Math.abs(seen.endedS - seen.durationS) < 0.2, `ended at ${seen.endedS}`);
    assert.equal(seen.corrupted, 0);
  } finally {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Runs in the page, where there are no types of ours. */
const PLAY = `(async () => {
  const video = document.querySelector('video');
  const event = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error.message)), { once: true });
  });
  const step = async (name, act) => { const done = event(name); act(); await done; };
  await step('loadeddata', () => { video.src = '/clip.mp4'; });
  const durationS = video.duration;
  await step('seeked', () => { video.currentTime = durationS / 2; });
  const jumpedS = video.currentTime;
  await step('seeked', () => { video.currentTime = 0; });
  video.playbackRate = 4;
  await step('ended', () => { void video.play(); });
  const { corruptedVideoFrames: corrupted } = video.getVideoPlaybackQuality();
  return { durationS, width: video.videoWidth, jumpedS, endedS: video.currentTime, corrupted };
})()` as unknown as () => Promise<Record<'durationS' | 'width' | 'jumpedS' | 'endedS' | 'corrupted', number>>;
