import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { makeVideo } from '../../fakes/media.ts';

const REPLAY = join(import.meta.dirname, '../../../scripts/lib/replay/main.ts');
const run = promisify(execFile);
let dir = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-replay-'));
  await makeVideo(join(dir, 'box.mp4'), { seconds: 8, fromS: 3, toS: 7 });
});
after(() => rm(dir, { recursive: true, force: true }));

const replay = (...args: string[]) =>
  run(process.execPath, [REPLAY, ...args], { timeout: 600_000, cwd: dir });

/** Size and number of the pictures of a file. */
async function probe(file: string): Promise<{ width: number; height: number; nb_read_frames: string }> {
  const show = ['-count_frames', '-show_entries', 'stream=width,height,nb_read_frames', '-of', 'json'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...show, file]);
  const { streams } = JSON.parse(stdout) as { streams: [Awaited<ReturnType<typeof probe>>] };
  return streams[0];
}

/** Share of the pixels of a picture, or of a video's picture at a moment, that are of a strong red. */
async function redShare(file: string, atS = 0): Promise<number> {
  const seek = atS > 0 ? ['-ss', `${atS}`] : [];
  const out = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const options = { encoding: 'buffer', maxBuffer: 1 << 26 } as const;
  const { stdout } = await run('ffmpeg', ['-v', 'error', ...seek, '-i', file, ...out], options);
  let red = 0;
  for (let at = 0; at < stdout.length; at += 3)
    if ((stdout[at] ?? 0) > 180 && (stdout[at + 1] ?? 0) < 120 && (stdout[at + 2] ?? 0) < 120) red++;
  return red / (stdout.length / 3);
}

test('a strip and a video are written, with a picture for each that was judged', async () => {
  const out = join(dir, 'new/folder');
  const { stdout } = await replay(join(dir, 'box.mp4'), '--out', out);
  const [strip = '', video = ''] = stdout.trim().split('\n');
  assert.equal(strip, join(out, 'box.moments.png'));
  assert.equal(video, join(out, 'box.replay.mp4'));
  const { width, height } = await probe(strip);
  assert.ok(width > 4 * 320 && height > 180, `${width} x ${height}`);
  const frames = Number((await probe(video)).nb_read_frames);
  assert.ok(Math.abs(frames - 40) <= 1, `${frames} pictures of 8 s at 5 a second`);
});

test('what moves is drawn in red while it moves', async () => {
  const [, video = ''] = (await replay(join(dir, 'box.mp4'))).stdout.trim().split('\n');
  const before = await redShare(video, 2);
  const during = await redShare(video, 5);
  assert.ok(during > before + 0.003, `${before} red before, ${during} while the box moves`);
});

test('only the moments, at one picture every two seconds', async () => {
  const { stdout } = await replay(join(dir, 'box.mp4'), '--no-video', '--every-ms', '2000', '--lead-in', '4');
  assert.equal(stdout, `${join(dir, 'box.moments.png')}\n`);
});

test('what cannot be replayed is refused with one sentence and code 2', async () => {
  await writeFile(join(dir, 'words.mp4'), 'these are words');
  const refused: readonly [args: string[], says: RegExp][] = [
    [[], /name one video FILE/],
    [['nowhere.mp4'], /cannot be read: there is no such file/],
    [['words.mp4'], /not a video/],
    [['box.mp4', '--sensitivity', '0'], /--sensitivity takes/],
    [['box.mp4', '--loud'], /--help/],
  ];
  for (const [args, says] of refused) {
    await assert.rejects(replay(...args), (error: Error & { code?: number; stderr?: string }) => {
      assert.equal(error.code, 2);
      assert.match(error.stderr ?? '', says);
      assert.equal((error.stderr ?? '').trim().split('\n').length, 1, error.stderr);
      return true;
    });
  }
});
