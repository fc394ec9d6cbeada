import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { analyseClip } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { ONLY_THIS_FILE } from '../../../../../cloud-fn/yolo/analysis/run-media-tool.ts';
import type { Detection, Detector, Picture } from '../../../../../cloud-fn/yolo/detectors/detector.ts';
import { wrapped } from '../../../../../cloud-fn/yolo/sheet/canvas.ts';
import { contactSheet } from '../../../../../cloud-fn/yolo/sheet/contact-sheet.ts';
import { spread } from '../../../../../cloud-fn/yolo/sheet/crops.ts';

let dir: string;
let clip: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-sheet-'));
  clip = join(dir, 'clip.mp4');
  // A green square that goes from left to right over grey: nothing on a sheet is of that colour but pieces of the clip.
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'color=gray:size=320x240:rate=10:duration=4'],
    ...['-f', 'lavfi', '-i', 'color=0x00c000:size=40x80:rate=10:duration=4'],
    ...['-filter_complex', 'overlay=x=40+40*t:y=80', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', clip],
  ]);
});
after(() => rmSync(dir, { recursive: true, force: true }));

const isGreen = (rgb: Uint8Array, at: number) =>
  (rgb[at + 1] ?? 0) > 140 && (rgb[at] ?? 255) < 80 && (rgb[at + 2] ?? 255) < 80;

/** Finds what is green, and calls it a person. */
function detectorOfGreen(confidence: number, sees: boolean): Detector {
  return {
    model: { name: `green-${confidence}`, sha256: '0'.repeat(64), licence: 'Apache-2.0' },
    runtime: 'none',
    inputSize: 160,
    detect: async ({ rgb, width, height }: Picture): Promise<Detection[]> => {
      let [left, top, right, bottom] = [width, height, 0, 0];
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          if (isGreen(rgb, (y * width + x) * 3)) {
            [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
            [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
          }
      if (!sees || right <= left) return [];
      return [
        {
          label: 'person',
          confidence,
          box: [left / width, top / height, right / width, bottom / height],
        },
      ];
    },
    close: async () => {},
  };
}

async function sheetWith(second: Detector) {
  const signal = AbortSignal.timeout(300_000);
  const analysis = await analyseClip(clip, detectorOfGreen(0.5, true), {
    strategy: 'fixed-rate',
    signal,
    deadlineMs: 300_000,
    second: { inputSize: 160, open: async () => second, close: async () => {} },
  });
  const judged = { verdict: 'person', reason: "Why: it's 100% {green}, [there]; a\\b" };
  const png = await contactSheet(clip, analysis, judged, { signal, whitelist: ONLY_THIS_FILE });
  assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const rgb = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
    {
      input: png,
      maxBuffer: 1e9,
    },
  );
  assert.equal(rgb.length, width * height * 3);
  const count = (hit: (at: number) => boolean, from: number, to: number) => {
    let found = 0;
    for (let y = 0; y < height; y++) for (let x = from; x < to; x++) if (hit((y * width + x) * 3)) found++;
    return found;
  };
  const green = (from: number, to: number) => count((at) => isGreen(rgb, at), from, to);
  const exactly = (colour: number, from: number) =>
    count((at) => rgb.readUIntBE(at, 3) === colour, from, width);
  return { analysis, width, green, exactly };
}

test('a contact sheet shows pieces of the clip for each track, and what the second detector was shown', async () => {
  const { analysis, width, green, exactly } = await sheetWith(detectorOfGreen(0.9, false));
  assert.deepEqual(
    [...analysis.seen.opinions.values()].map(({ asked, agreed }) => agreed < asked),
    [true],
  );
  const opinionsFrom = width - 3 * 156 - 16;
  assert.ok(green(306, opinionsFrom) > 6 * 1_000, 'pieces of the track');
  assert.ok(green(opinionsFrom, width) > 500, 'pictures for the second detector');
  assert.ok(exactly(0xff453a, opinionsFrom) > 200, 'framed as denied');
  assert.equal(exactly(0x30d158, opinionsFrom), 0);
});

test('a contact sheet shows where the second detector agrees', async () => {
  const { width, exactly } = await sheetWith(detectorOfGreen(0.9, true));
  assert.ok(exactly(0x30d158, width - 3 * 156 - 16) > 200);
  assert.equal(exactly(0xff453a, width - 3 * 156 - 16), 0);
});

test('of a long track the pieces are spread over it, and the surest is among them', () => {
  const sightings = Array.from({ length: 50 }, (_, index) => ({
    atMs: index * 500,
    moved: true,
    detection: { label: 'person', confidence: index === 17 ? 0.9 : 0.4, box: [0, 0, 1, 1] as const },
  })).map((one) => ({
    ...one,
    detection: { ...one.detection, box: [...one.detection.box] as [number, number, number, number] },
  }));
  const times = spread({ sightings }, 6).map(({ atMs }) => atMs / 500);
  assert.deepEqual(times, [0, 10, 17, 29, 39, 49]);
  assert.equal(spread({ sightings: sightings.slice(0, 3) }, 6).length, 3);
});

test('text is broken between words, and a word that is too long within', () => {
  assert.deepEqual(wrapped('one two three', 10, 10 * 0.602 * 8), ['one two', 'three']);
  assert.deepEqual(wrapped('abcdefghijk', 10, 10 * 0.602 * 4), ['abcd', 'efgh', 'ijk']);
  assert.deepEqual(wrapped('  ', 10, 100), []);
});
