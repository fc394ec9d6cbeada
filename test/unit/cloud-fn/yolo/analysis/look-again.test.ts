import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { analyseClip } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { lookAt } from '../../../../../cloud-fn/yolo/analysis/looks/look.ts';
import { pictureBytes, pictureOf, WHOLE } from '../../../../../cloud-fn/yolo/analysis/looks/full-picture.ts';
import type { Detector, Picture, RelativeBox } from '../../../../../cloud-fn/yolo/detectors/detector.ts';

const { signal } = new AbortController();
const SIDE = 128;
let dir: string;
let clip: string;

/** Ten seconds; a bright upright bar, 8 × 24 pixels, walks from left to right between the fourth and the eighth. */
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-again-'));
  clip = join(dir, 'walker.mp4');
  await promisify(execFile)('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', 'color=gray:s=480x270:r=12:d=10'],
    ...['-f', 'lavfi', '-i', 'color=white:s=8x24:r=12:d=10', '-filter_complex'],
    "[0][1]overlay=x='60+(t-4)*40':y=120:enable='between(t,4,8)'",
    ...['-c:v', 'libx264', '-qp', '10', '-pix_fmt', 'yuv420p', '-g', '24'],
    ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof', clip],
  ]);
});
after(() => rm(dir, { recursive: true, force: true }));

/** Finds the bar when it is shown large enough, with the confidence that it is told for each such look. */
function barDetector(confidenceOf: (look: number) => number | undefined) {
  let [looks, shown] = [0, 0];
  const detector: Detector = {
    model: { name: 'test', sha256: '0'.repeat(64), licence: 'none' },
    runtime: 'test',
    inputSize: SIDE,
    detect: async (picture) => {
      looks++;
      const box = barIn(picture);
      if (!box || (box[3] - box[1]) * picture.height < 15) return [];
      const confidence = confidenceOf(shown++);
      return confidence === undefined ? [] : [{ label: 'person', confidence, box }];
    },
    close: async () => {},
  };
  return { detector, looks: () => looks };
}

function barIn({ rgb, width, height }: Picture): RelativeBox | undefined {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if ((rgb[(y * width + x) * 3] ?? 0) < 160) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  return right > left ? [left / width, top / height, right / width, bottom / height] : undefined;
}

const analyse = (detector: Detector, rateFps = 2) =>
  analyseClip(clip, detector, { strategy: 'fixed-rate', rateFps, signal, deadlineMs: 120_000 });

test('somebody who was seen in one picture is looked for in those around it, and followed', async () => {
  // As a net sees who is far away: now and then.
  const { detector, looks } = barDetector((look) => (look === 0 || look % 4 === 3 ? 0.5 : undefined));
  const { details } = await analyse(detector);
  const [person, ...more] = details.detections;
  assert.deepEqual(more, []);
  const [track] = person?.tracks ?? [];
  assert.ok(track && track.frames >= 5, JSON.stringify(details.detections));
  assert.ok(track.travelled >= 1, `${track.travelled}`);
  assert.ok(looks() <= details.frames.analysed + 19 + 3 * 72, `${looks()}`);
});

test('weak signs do not count as somebody, but are reason enough to look again', async () => {
  const weak = await analyse(barDetector(() => 0.2).detector);
  assert.deepEqual(weak.details.detections, []);
  // Weak at first, and surer when looked at once more.
  const { details } = await analyse(barDetector((look) => (look < 6 ? 0.2 : 0.5)).detector);
  const [track] = details.detections[0]?.tracks ?? [];
  assert.ok(track && track.frames >= 2, JSON.stringify(details.detections));
});

test('who was not seen again is soon given up, and who was seen surely is not looked at again', async () => {
  const once = barDetector((look) => (look === 0 ? 0.5 : undefined));
  const never = barDetector(() => undefined);
  const one = await analyse(once.detector);
  await analyse(never.detector);
  assert.deepEqual(one.details.detections, []);
  const windowFrames = 16;
  assert.ok(
    once.looks() <= never.looks() + 3 * windowFrames + 16,
    `${once.looks()} looks, ${never.looks()} without anybody`,
  );
  const sure = await analyse(barDetector(() => 0.9).detector, 6);
  const [track] = sure.details.detections[0]?.tracks ?? [];
  assert.ok(track && track.frames >= 3, JSON.stringify(sure.details.detections));
  assert.equal(sure.seen.again, 0);
});

test('a box that fills the part it was found in is no person; one that fills the picture is', async () => {
  const [width, height] = [320, 180];
  const picture = pictureOf(new Uint8Array(pictureBytes(width, height)).fill(90), width, height);
  const filling: Detector = {
    ...barDetector(() => undefined).detector,
    detect: async () => [{ label: 'person', confidence: 0.7, box: [0.02, 0.02, 0.98, 0.98] }],
  };
  assert.equal((await lookAt(filling, picture, { region: WHOLE })).length, 1);
  assert.deepEqual(await lookAt(filling, picture, { region: [0, 0, 0.4, 0.7] }), []);
});
