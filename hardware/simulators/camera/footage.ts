import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { encoderArguments, planFootage, type FootagePlan } from './footage-plan.ts';
import { probeVideo } from './video-probe.ts';

/** A video as the camera simulator plays it: two elementary streams with the same number of pictures. */
export interface Footage extends FootagePlan {
  readonly dir: string;
  readonly mainFile: string;
  readonly subFile: string;
  /** Pictures of the footage itself, without the still ones before and after. */
  readonly footageFrames: number;
  readonly durationS: number;
}

/** Told now and then, in words for a person. */
export type OnProgress = (sentence: string) => void;

export interface FootageOptions {
  readonly video: string;
  readonly cacheDir: string;
  /** From one key frame to the next; default 2 s. */
  readonly gopMs?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MANIFEST = 'footage.json';

/** Encodes any video that ffmpeg reads as a camera would, once: `cacheDir` is searched first, by the SHA-256 of the
 *  video and of the parameters. A folder in the cache is always complete: it is renamed into place when done.
 *  Throws an Error with one sentence for a person when the video cannot be used. */
export async function prepareFootage(options: FootageOptions): Promise<Footage> {
  const facts = await probeVideo(options.video);
  const plan = planFootage(facts, options.gopMs);
  const key = createHash('sha256')
    .update(await sha256(options.video))
    .update(JSON.stringify(plan))
    .digest('hex')
    .slice(0, 32);
  const parent = join(options.cacheDir, 'footage');
  const dir = join(parent, key);
  const cached = await readManifest(dir);
  if (cached) return cached;

  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const temporary = await mkdtemp(join(parent, `${key}.part-${process.pid}-`));
  try {
    const footageFrames = await encode(options, plan, facts.durationS, temporary);
    const durationS = (footageFrames * plan.fps.den) / plan.fps.num;
    await writeFile(join(temporary, MANIFEST), JSON.stringify({ ...plan, footageFrames, durationS }));
    await rename(temporary, dir).catch(async (error: NodeJS.ErrnoException) => {
      // Another process has made the same footage meanwhile; its folder is as good.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  const made = await readManifest(dir);
  if (!made) throw new Error(`The footage in ${dir} cannot be read; remove that folder and try again.`);
  return made;
}

async function readManifest(dir: string): Promise<Footage | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')) as Footage;
    return { ...manifest, dir, mainFile: join(dir, 'main.h264'), subFile: join(dir, 'sub.h264') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes what encoders that were killed have left behind. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = /\.part-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Number of pictures of the footage itself. */
async function encode(
  options: FootageOptions,
  plan: FootagePlan,
  durationS: number,
  dir: string,
): Promise<number> {
  const { video, onProgress, signal } = options;
  const files = { main: join(dir, 'main.h264'), sub: join(dir, 'sub.h264') };
  const stillFrames = 3 * plan.gopFrames;
  const expected = stillFrames + Math.max(1, (durationS * plan.fps.num) / plan.fps.den);

  const child = spawn('ffmpeg', encoderArguments(video, plan, files), {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let lastWords = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2000);
  });
  let frames = 0;
  const tell = tellPercent('preparing the video as a camera would send it', onProgress);
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('frame=')) return;
    frames = Number(line.slice('frame='.length));
    tell(frames / expected);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0 && frames > 0) {
    throw new Error(`ffmpeg could not encode ${video}: ${lastWords.trim().split('\n').at(-1)}`);
  }
  const footageFrames = frames - stillFrames;
  if (footageFrames < 1) throw new Error(`The video ${video} has no picture that can be decoded.`);
  return footageFrames;
}

/** Says `what: 40 %` each time another ten percent are done.
 *  @returns takes the share that is done, 0 to 1 */
export function tellPercent(what: string, onProgress: OnProgress | undefined): (done: number) => void {
  let told = -10;
  return (done) => {
    const percent = Math.min(100, Math.floor(done * 10) * 10);
    if (percent < told + 10) return;
    told = percent;
    onProgress?.(`${what}: ${percent} %`);
  };
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
