import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { prepareFootage } from '../../../hardware/simulators/camera/footage.ts';
import { makeVideo } from '../../fakes/media.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-footage-'));
});
after(() => rm(dir, { recursive: true }));

const ffmpeg = (...args: string[]) => promisify(execFile)('ffmpeg', ['-v', 'error', '-y', ...args]);

async function pictures(file: string) {
  const wanted = 'stream=width,height,profile,has_b_frames,r_frame_rate:frame=key_frame,pict_type';
  const args = ['-v', 'error', '-show_entries', wanted, '-of', 'json', file];
  const { stdout } = await promisify(execFile)('ffprobe', args, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as {
    streams: Record<string, unknown>[];
    frames: { key_frame: number; pict_type: string }[];
  };
}

test('both streams are what a camera sends: no B pictures, a key picture every two seconds, stills at both ends', async () => {
  const video = join(dir, 'box.mp4');
  await makeVideo(video, { seconds: 5, fps: 30, width: 322, height: 242 });
  const footage = await prepareFootage({ video, cacheDir: dir });
  assert.equal(footage.gopFrames, 30);
  assert.equal(footage.footageFrames, 75);
  assert.equal(footage.durationS, 5);
  const size = { main: [322, 242], sub: [640, 360] };
  for (const name of ['main', 'sub'] as const) {
    const { streams, frames } = await pictures(footage[`${name}File`]);
    assert.deepEqual([streams[0]?.['width'], streams[0]?.['height']], size[name]);
    assert.equal(streams[0]?.['profile'], 'Main');
    assert.equal(streams[0]?.['has_b_frames'], 0);
    assert.equal(frames.length, 75 + 3 * 30);
    const keys = frames.flatMap(({ key_frame }, index) => (key_frame === 1 ? [index] : []));
    assert.deepEqual(keys, [0, 30, 60, 90, 120, 150]);
  }
});

test('the same video is encoded once', async () => {
  const video = join(dir, 'again.mp4');
  await makeVideo(video, { seconds: 1 });
  const told: string[] = [];
  const onProgress = (sentence: string) => told.push(sentence);
  const made = await prepareFootage({ video, cacheDir: dir, onProgress });
  assert.ok(told.length > 0, 'nothing was told while it took time');
  told.length = 0;
  assert.deepEqual(await prepareFootage({ video, cacheDir: dir, onProgress }), made);
  assert.deepEqual(told, []);
});

test('two that prepare the same video at the same time both get it', async () => {
  const video = join(dir, 'twice.mp4');
  await makeVideo(video, { seconds: 2 });
  const [one, two] = await Promise.all([
    prepareFootage({ video, cacheDir: dir }),
    prepareFootage({ video, cacheDir: dir }),
  ]);
  assert.deepEqual(one, two);
});

test('an encoder that is stopped leaves nothing that looks like footage, and what was killed is swept away', async () => {
  const cacheDir = await mkdtemp(join(dir, 'cache-'));
  const video = join(dir, 'long.mp4');
  await makeVideo(video, { seconds: 20, width: 1280, height: 720 });
  const stop = new AbortController();
  const preparing = prepareFootage({ video, cacheDir, signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(preparing, { name: 'AbortError' });
  assert.deepEqual(await readdir(join(cacheDir, 'footage')), []);

  const killed = join(cacheDir, 'footage', '0123.part-999999999-1');
  await writeFile(killed, 'half');
  await makeVideo(video, { seconds: 1 });
  await prepareFootage({ video, cacheDir });
  const left = await readdir(join(cacheDir, 'footage'));
  assert.deepEqual([left.length, left.some((name) => name.includes('.part-'))], [1, false]);
});

test('what cannot be played is refused in one sentence', async () => {
  const at = (name: string) => join(dir, name);
  await writeFile(at('text.mp4'), 'this is no video\n');
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', at('sound.wav'));
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=d=1', '-frames:v', '0', '-c:v', 'mpeg4', at('empty.avi'));
  const sentences: Record<string, RegExp> = {
    [at('none.mp4')]: /^The video .*none\.mp4 does not exist\.$/,
    [dir]: /^The video .* is not a file\.$/,
    [at('text.mp4')]: /^The file .*text\.mp4 is not a video that ffmpeg can read\.$/,
    [at('sound.wav')]: /^The file .*sound\.wav has no video stream\.$/,
    [at('empty.avi')]: /^The video .*empty\.avi has no picture that can be decoded\.$/,
  };
  for (const [video, message] of Object.entries(sentences)) {
    await assert.rejects(prepareFootage({ video, cacheDir: dir }), { message });
  }
});
