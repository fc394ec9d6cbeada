import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** quiet: a still scene with the noise of a sensor · busy: somebody walks through it all the time. */
export type SceneName = 'quiet' | 'busy';

const SECONDS = 24;
const FPS = 15;
const SIZE = { width: 1920, height: 1080 } as const;
/** One walker crosses in this time, and the next one comes. */
const WALK_S = 6;
/** Part of the file's name: other scenes are other files. */
const VERSION = 1;

/** Draws the scene as a video, once. @returns the file, in the cache */
export async function sceneVideo(name: SceneName, cacheDir: string, signal: AbortSignal): Promise<string> {
  const dir = join(cacheDir, 'bench-capture');
  const file = join(dir, `${name}-${VERSION}.mp4`);
  if (existsSync(file)) return file;
  await mkdir(dir, { recursive: true });
  const part = join(dir, `${name}-${VERSION}.${process.pid}.part.mp4`);
  const { width, height } = SIZE;
  const texture = `geq=lum='120+30*sin(X/39)*cos(Y/51)+20*sin(X*Y/8973)':cb='124+6*sin(Y/123)':cr=130`;
  // One picture is computed and repeated: the formula is the slow part.
  const scene = `nullsrc=s=${width}x${height}:r=${FPS}:d=${1 / FPS},${texture},loop=loop=-1:size=1:start=0,trim=duration=${SECONDS},setpts=N/(${FPS}*TB)`;
  const noise = 'noise=alls=4:allf=t:all_seed=7,format=yuv420p[out]';
  const x = `'-w+(W+w)*mod(t,${WALK_S})/${WALK_S}'`;
  const box = `color=c=0xC03020:s=${width / 10}x${height / 3}:r=${FPS}:d=${SECONDS}`;
  const graph =
    name === 'quiet'
      ? `${scene},${noise}`
      : `${scene}[scene];${box}[box];[scene][box]overlay=x=${x}:y=H/2,${noise}`;
  await promisify(execFile)(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-y', '-filter_complex', graph, '-map', '[out]'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18', part],
    ],
    { signal },
  );
  await rename(part, file);
  return file;
}
