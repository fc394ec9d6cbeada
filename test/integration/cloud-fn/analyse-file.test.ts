import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { repoRoot } from '../../../scripts/lib/places.ts';
import { bringModels } from './yolo-harness.ts';

let dir: string;
let clip: string;
let models: string;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-analyse-file-'));
  clip = join(dir, 'clip.mp4');
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10:duration=1'],
    ...['-c:v', 'libx264', '-pix_fmt', 'yuv420p', clip],
  ]);
  models = (await bringModels()).dir;
});
after(() => rmSync(dir, { recursive: true, force: true }));

function analyseFile(...args: readonly string[]) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(repoRoot, 'cloud-fn/yolo/analyse-file.ts'), ...args, '--models', models],
    { encoding: 'utf8', timeout: 300_000 },
  );
  return { status, lines: stderr.trim().split('\n') };
}

test('a contact sheet is a picture, also of a clip with nothing in it', () => {
  const sheet = join(dir, 'Аркуш: 1.png');
  assert.equal(analyseFile(clip, '--sheet', sheet).status, 0);
  assert.equal(readFileSync(sheet).subarray(1, 4).toString('latin1'), 'PNG');
});

test('a place where no sheet or frame can be written is refused in one sentence before the clip is looked at', () => {
  const folder = join(dir, 'folder');
  mkdirSync(folder);
  const before = readFileSync(clip);
  const bad: readonly [string, RegExp][] = [
    [folder, /folder is a folder; name a file$/],
    [join(dir, 'none', 'a.png'), /there is no folder .*none$/],
    [join(clip, 'a.png'), /there is no folder .*clip\.mp4$/],
    [clip, /clip\.mp4 is the file to be analysed, and would be overwritten$/],
    ['', /name the file to write$/],
  ];
  for (const option of ['--sheet', '--frame'])
    for (const [place, why] of bad) {
      const { status, lines } = analyseFile(clip, option, place);
      assert.equal(status, 2, `${option} ${place}: ${lines.join(' ')}`);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? '', why);
      assert.ok(lines[0]?.startsWith(`analyse-file: ${option}: `));
    }
  assert.ok(before.equals(readFileSync(clip)));
  assert.deepEqual(readdirSync(folder), []);
  const both = analyseFile(clip, '--sheet', join(dir, 'one'), '--frame', join(dir, '.', 'one'));
  assert.deepEqual([both.status, both.lines], [2, ['analyse-file: --frame and --sheet name the same file']]);
  const two = analyseFile(clip, clip, '--sheet', join(dir, 'two.png'));
  assert.deepEqual([two.status, two.lines], [2, ['analyse-file: --sheet goes with one file only']]);
});

test('a full disk under the sheet is told in one sentence', { skip: !existsSync('/dev/full') }, () => {
  const { status, lines } = analyseFile(clip, '--sheet', '/dev/full');
  assert.equal(status, 1, lines.join(' '));
  assert.match(lines[0] ?? '', /^analyse-file: .*\/dev\/full could not be written: ENOSPC/);
});
