import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { analyseClip } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { annotateFrame } from '../../../../../cloud-fn/yolo/analysis/annotate.ts';
import { probeClip } from '../../../../../cloud-fn/yolo/analysis/probe.ts';
import { sampleFrames } from '../../../../../cloud-fn/yolo/analysis/sampled-frames.ts';
import { planSampling, type Strategy } from '../../../../../cloud-fn/yolo/analysis/strategy.ts';
import { ClipProblem } from '../../../../../cloud-fn/yolo/clip-problem.ts';
import type { Detector } from '../../../../../cloud-fn/yolo/detectors/detector.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const SIZE = { width: 64, height: 36 };
let dir: string;
let clip: string;

/** Brightness grows by 20 with every second: a frame tells its time. */
const SOURCE = "color=black:s=320x180:r=10:d=10,format=yuv420p,geq=lum='16+20*floor(T)':cb=128:cr=128";

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-clip-'));
  clip = join(dir, 'clip.mp4');
  await ffmpeg(['-f', 'lavfi', '-i', SOURCE], clip);
});
after(() => rm(dir, { recursive: true, force: true }));

const ffmpeg = (input: string[], file: string, more: string[] = []) =>
  run('ffmpeg', [
    ...[
      '-v',
      'error',
      '-nostdin',
      '-y',
      ...input,
      '-c:v',
      'libx264',
      '-qp',
      '10',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '20',
    ],
    ...[...more, '-movflags', '+frag_keyframe+empty_moov+default_base_moof', file],
  ]);

async function sampled(file: string, strategy: Strategy, rateFps?: number) {
  const plan = planSampling(strategy, await probeClip(file, { signal }), rateFps);
  const source = sampleFrames(file, plan, SIZE, { signal });
  const frames: { atMs: number; brightness: number }[] = [];
  for await (const { picture, atMs } of source.frames)
    frames.push({ atMs, brightness: picture.luma[0] ?? 0 });
  return { frames, decoded: source.decodedMs.length };
}

/** Sees one person in the frames brighter than 100. */
const brightIsPerson: Detector = {
  model: { name: 'test', sha256: '0'.repeat(64), licence: 'none' },
  runtime: 'test',
  inputSize: 64,
  detect: async ({ rgb }) =>
    (rgb[0] ?? 0) > 100
      ? [{ label: 'person', confidence: (rgb[0] ?? 0) / 256, box: [0.1, 0.1, 0.5, 0.9] }]
      : [],
  close: async () => {},
};

/** The file with the matrix of its track header turned by 90 degrees (ISO/IEC 14496-12, 8.3.2). FFmpeg's own options
 *  for that differ between its versions. */
function turnedByQuarter(mp4: Buffer): Buffer {
  const bytes = Buffer.from(mp4);
  const matrix = bytes.indexOf('tkhd', 0, 'latin1') + 44;
  const one = 0x1_0000;
  for (const [at, value] of [0, one, 0, -one, 0, 0, 0, 0, 0x4000_0000].entries())
    bytes.writeInt32BE(value, matrix + at * 4);
  return bytes;
}

test('size and length of a clip are known before it is decoded, rotation applied', async () => {
  const shape = await probeClip(clip, { signal });
  assert.deepEqual([shape.width, shape.height, shape.durationMs], [320, 180, 10_000]);
  const turned = join(dir, 'turned.mp4');
  await writeFile(turned, turnedByQuarter(await readFile(clip)));
  const { width, height } = await probeClip(turned, { signal });
  assert.deepEqual([width, height], [180, 320]);
});

test('each strategy takes its frames, each with its own time', async () => {
  const fixed = await sampled(clip, 'fixed-rate');
  assert.equal(fixed.decoded, 100);
  assert.deepEqual(
    fixed.frames.map(({ atMs }) => atMs),
    Array.from({ length: 20 }, (_, at) => at * 500),
  );
  // The times belong to the pictures.
  const brightness = (atMs: number) => fixed.frames.find((frame) => frame.atMs === atMs)?.brightness ?? 0;
  assert.ok(brightness(9000) > brightness(6000) && brightness(6000) > brightness(2000));

  const every = await sampled(clip, 'every-frame');
  assert.deepEqual([every.frames.length, every.decoded], [100, 100]);
  const key = await sampled(clip, 'key-frames');
  assert.deepEqual(
    key.frames.map(({ atMs }) => atMs),
    [0, 2000, 4000, 6000, 8000],
  );
});

test('a clip slower than the rate gives each of its frames once', async () => {
  const slow = join(dir, 'slow.mp4');
  await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=10:d=10'], slow, ['-r', '1']);
  const { frames, decoded } = await sampled(slow, 'fixed-rate', 4);
  assert.ok(decoded >= 10 && decoded < 15, `${decoded} frames`);
  assert.equal(frames.length, decoded);
});

test('a clip that is cut off is analysed as far as it goes; one without a picture is refused', async () => {
  const whole = join(dir, 'whole.mp4');
  await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=10:d=10'], whole);
  const cut = join(dir, 'cut.mp4');
  const bytes = await readFile(whole);
  await writeFile(cut, bytes);
  await truncate(cut, Math.floor(bytes.length * 0.6));
  const { frames } = await sampled(cut, 'fixed-rate');
  assert.ok(frames.length >= 4 && frames.length < 20, `${frames.length} frames`);

  const garbage = join(dir, 'garbage.mp4');
  await writeFile(garbage, Buffer.alloc(10_000, 1));
  await assert.rejects(probeClip(garbage, { signal }), isFinal('clip.undecodable'));
  const silent = join(dir, 'silent.mp4');
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'aac', silent]);
  await assert.rejects(probeClip(silent, { signal }), isFinal('clip.undecodable'));
});

test('an analysis that is called off ends at once, with the reason', async () => {
  const stop = new AbortController();
  const stopping: Detector = {
    ...brightIsPerson,
    detect: async () => {
      stop.abort(new Error('enough'));
      return [];
    },
  };
  const analysis = analyseClip(clip, stopping, {
    strategy: 'every-frame',
    signal: stop.signal,
    deadlineMs: 60_000,
  });
  await assert.rejects(analysis, /enough/);
});

test('an analysis that takes too long ends with a final problem', async () => {
  const analysis = analyseClip(clip, brightIsPerson, { strategy: 'every-frame', signal, deadlineMs: 1 });
  await assert.rejects(analysis, isFinal('analysis.deadline'));
});

test('details tell what was seen and when; the annotated frame is the best one', async () => {
  const { details, bestFrame } = await analyseClip(clip, brightIsPerson, {
    strategy: 'fixed-rate',
    signal,
    deadlineMs: 60_000,
  });
  assert.equal(details.frames.decoded, 100);
  // Half of the twenty that were sampled, and those in which the light changed.
  assert.ok(details.frames.analysed >= 10 && details.frames.analysed <= 20, `${details.frames.analysed}`);
  const [person, ...others] = details.detections;
  assert.deepEqual(others, []);
  assert.equal(person?.label, 'person');
  assert.ok((person?.last_ms ?? 0) >= 9000);
  assert.ok(details.cpu_ms > 0);
  assert.ok(bestFrame && bestFrame.atMs >= 9000);
  assert.ok((await brightnessOf(bestFrame.jpeg)) > 150);
});

test('the frame that is drawn is the one of the asked time', async () => {
  const shape = await probeClip(clip, { signal });
  const at = async (atMs: number) =>
    brightnessOf(await annotateFrame(clip, shape, { atMs, detections: [] }, { signal }));
  const found = [await at(0), await at(2900), await at(3000), await at(8900), await at(9000)];
  const steps = found.map((brightness) => Math.round((brightness - (found[0] ?? 0)) / 23));
  assert.deepEqual(steps, [0, 2, 3, 8, 9], found.join(' '));
});

function isFinal(code: string) {
  return (error: unknown) => error instanceof ClipProblem && error.code === code && error.final;
}

/** Of the bottom right corner, where nothing is drawn; 0 to 255. */
async function brightnessOf(jpeg: Buffer): Promise<number> {
  const file = join(dir, 'frame.jpg');
  await writeFile(file, jpeg);
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-vf', 'crop=2:2:iw-2:ih-2', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'],
    { encoding: 'buffer' },
  );
  return stdout[0] ?? 0;
}
