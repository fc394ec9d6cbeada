import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { decideVerdict } from '../../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { analyseClip } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import type {
  Detection,
  Detector,
  Picture,
  SecondDetector,
} from '../../../../../cloud-fn/yolo/detectors/detector.ts';
import { result } from '../../orchestrators/clip-samples.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-second-'));
});
after(() => rm(dir, { recursive: true, force: true }));

/** Ten seconds of grey in which a white post stands or, with `x`, moves.
 *  @param x FFmpeg expression of t */
async function post(
  name: string,
  x: string,
  size: { width: number; height: number } = { width: 24, height: 60 },
) {
  const file = join(dir, `${name}.mp4`);
  const graph =
    `color=c=gray:s=640x360:r=10:d=10[ground];color=c=white:s=${size.width}x${size.height}:r=10:d=10[post];` +
    `color=c=black:s=16x16:r=10:d=10[mark];[ground][mark]overlay=x=0:y=0[marked];` +
    `[marked][post]overlay=x='${x}':y=200,format=yuv420p`;
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-filter_complex', graph, '-c:v', 'libx264', file]);
  return file;
}

/** The box of everything white in a picture; undefined when there is none. */
function whiteBox({ rgb, width, height }: Picture): Detection['box'] | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if ((rgb[(y * width + x) * 3] ?? 0) > 220)
        [left, top, right, bottom] = [
          Math.min(left, x),
          Math.min(top, y),
          Math.max(right, x + 1),
          Math.max(bottom, y + 1),
        ];
  return right < 0 ? undefined : [left / width, top / height, right / width, bottom / height];
}

const MODEL = { sha256: '0'.repeat(64), licence: 'none' };

/** Calls what is white a person, when at least so many pixels of its input are high. */
const sees = (confidence: number, leastHeight = 0): Detector => ({
  model: { name: 'first', ...MODEL },
  runtime: 'test',
  inputSize: 128,
  detect: async (picture) => {
    const box = whiteBox(picture);
    return box && (box[3] - box[1]) * picture.height >= leastHeight
      ? [{ label: 'person', confidence, box }]
      : [];
  },
  close: async () => {},
});

function second(agrees: boolean) {
  let asked = 0;
  const detector: Detector = {
    ...sees(0.5),
    model: { name: 'second', ...MODEL },
    detect: async (picture) => {
      asked++;
      return agrees ? sees(0.5).detect(picture) : [];
    },
  };
  const opens: SecondDetector = { inputSize: 128, open: async () => detector, close: async () => {} };
  return { opens, asked: () => asked };
}

async function judged(file: string, detector: Detector, other?: SecondDetector) {
  const { details } = await analyseClip(file, detector, {
    strategy: 'fixed-rate',
    signal,
    deadlineMs: 120_000,
    second: other,
  });
  return { details, ...decideVerdict(result(details)) };
}

test('what stands there and only one of two detectors calls a person is nobody, and the reason says so', async () => {
  const file = await post('stands', '300');
  const { verdict, reason } = await judged(file, sees(0.5), second(false).opens);
  assert.equal(verdict, 'nothing');
  assert.match(reason, /What one detector took for a person, a second one did not\./);
  // Without a second detector the first one is believed.
  assert.equal((await judged(file, sees(0.5))).verdict, 'person');
});

test('a person both detectors see is a person, and the reason says so', async () => {
  const { verdict, reason, details } = await judged(
    await post('agreed', '300'),
    sees(0.5),
    second(true).opens,
  );
  assert.equal(verdict, 'person');
  assert.match(reason, /A second detector saw the same in 2 of 2 pictures\./);
  assert.equal(details.second_model?.name, 'second');
});

test('somebody who walks and is seen well is a person, although the second detector sees nobody', async () => {
  const { verdict, reason } = await judged(await post('walks', '100+40*t'), sees(0.75), second(false).opens);
  assert.equal(verdict, 'person');
  assert.match(reason, /Seen by one of two detectors, and walking\./);
});

test('the second detector is not opened for an empty clip, nor when somebody is seen well', async () => {
  const unused = second(true);
  const never: SecondDetector = { ...unused.opens, open: () => assert.fail('opened') };
  assert.equal((await judged(await post('empty', '-200'), sees(0.5), never)).verdict, 'nothing');
  assert.equal((await judged(await post('well', '100+40*t'), sees(0.9), never)).verdict, 'person');
  assert.equal(unused.asked(), 0);
});

test('somebody too small for the whole picture is seen where something moves', async () => {
  // 12 of 360 pixels: 2 rows of the whole picture's 72, and more than 9 of a part.
  const file = await post('small', '100+30*t', { width: 6, height: 12 });
  const { verdict, details } = await judged(file, sees(0.75, 9), second(true).opens);
  assert.equal(verdict, 'person');
  assert.ok((details.detections[0]?.tracks?.[0]?.travelled ?? 0) > 3);
});
