import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { analyseClip } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { CLIPS_AND_PICTURES } from '../../../../../cloud-fn/yolo/analysis/run-media-tool.ts';
import type { Detector } from '../../../../../cloud-fn/yolo/detectors/detector.ts';

/** Finds what is bright and at least six pixels high in what it is shown, as nets do not find what is small. */
const ofBright: Detector = {
  model: { name: 'bright', sha256: '0'.repeat(64), licence: 'Apache-2.0' },
  runtime: 'none',
  inputSize: 160,
  detect: async ({ rgb, width, height }) => {
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if ((rgb[(y * width + x) * 3] ?? 0) > 180) {
          [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
          [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
        }
    if (bottom - top < 6) return [];
    return [
      { label: 'person', confidence: 0.7, box: [left / width, top / height, right / width, bottom / height] },
    ];
  },
  close: async () => {},
};

test('somebody small in a picture of its own is found wherever he stands, once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-still-'));
  try {
    for (const [x, y] of [
      [20, 20],
      [600, 430],
      [310, 230],
    ]) {
      const file = join(dir, 'still.png');
      execFileSync('ffmpeg', [
        ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'color=black:size=640x480', '-frames:v', '1'],
        ...['-vf', `drawbox=x=${x}:y=${y}:w=12:h=20:color=white:t=fill`, file],
      ]);
      const { details } = await analyseClip(file, ofBright, {
        strategy: 'fixed-rate',
        signal: AbortSignal.timeout(300_000),
        deadlineMs: 300_000,
        whitelist: CLIPS_AND_PICTURES,
      });
      assert.deepEqual(
        details.detections.map(({ label, count_max }) => [label, count_max]),
        [['person', 1]],
        `at ${x}, ${y}`,
      );
      const [box = []] = details.detections[0]?.boxes ?? [];
      assert.ok(
        Math.abs((box[0] ?? 1) - (x ?? 0) / 640) < 0.01 && Math.abs((box[1] ?? 1) - (y ?? 0) / 480) < 0.01,
      );
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
