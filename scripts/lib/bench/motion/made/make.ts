import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawActor, isThere, visibleShare } from './actors.ts';
import { createGrain, createRandom, FPS, HEIGHT, PIXELS, WIDTH } from './canvas.ts';
import type { Recipe } from './chapters.ts';
import { type Half, recipes } from './recipes.ts';

/** What is drawn another way gets another folder. */
const VERSION = 1;

export interface MakeDeps {
  readonly cacheDir: string;
  readonly onProgress: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** Draws the clips of a half, unless they are there already.
 *  @returns the file name of their manifest */
export async function makeClips(half: Half, { cacheDir, onProgress, signal }: MakeDeps): Promise<string> {
  const dir = join(cacheDir, `made-motion-${VERSION}`, half);
  const manifest = join(dir, 'manifest.json');
  if (existsSync(manifest)) return manifest;
  await mkdir(dir, { recursive: true });
  // Another run may be drawing the same clips.
  const partOf = (file: string) => `${file}.${process.pid}.part`;
  const clips = [];
  for (const recipe of recipes(half)) {
    signal.throwIfAborted();
    const made = recipe();
    const file = join(dir, `${made.name}.mp4`);
    if (!existsSync(file)) {
      onProgress(`drawing ${made.name}`);
      await encode(made, partOf(file), signal);
      await rename(partOf(file), file);
    }
    clips.push(truthOf(made));
  }
  await writeFile(partOf(manifest), JSON.stringify({ clips }, undefined, 1));
  await rename(partOf(manifest), manifest);
  return manifest;
}

/** Times in which something is there, to a frame. */
function spansOf(recipe: Recipe, there: (t: number) => boolean): [number, number][] {
  const spans: [number, number][] = [];
  for (let n = 0; n < recipe.seconds * FPS; n++) {
    if (!there(n / FPS)) continue;
    const last = spans.at(-1);
    if (last && n / FPS - last[1] < 1e-6) last[1] = (n + 1) / FPS;
    else spans.push([n / FPS, (n + 1) / FPS]);
  }
  return spans;
}

/** What has parked does not move: an event ends when the last of it has stopped. */
function truthOf(recipe: Recipe) {
  const { actors } = recipe;
  const moves = (t: number, actor: Recipe['actors'][number]) =>
    actor.kind === 'person' || JSON.stringify(actor.at(t)) !== JSON.stringify(actor.at(t + 1 / FPS));
  return {
    file: `${recipe.name}.mp4`,
    duration_s: recipe.seconds,
    synthetic: actors.length === 0,
    motion_intervals: spansOf(recipe, (t) => actors.some((actor) => isThere(actor, t) && moves(t, actor))),
    optional_intervals: spansOf(
      recipe,
      (t) =>
        actors.some((actor) => visibleShare(actor, t) > 0 && moves(t, actor)) &&
        !actors.some((actor) => isThere(actor, t) && moves(t, actor)),
    ),
  };
}

async function encode(recipe: Recipe, file: string, signal: AbortSignal): Promise<void> {
  const { backdrop, effects, actors, noise, quality, seconds } = recipe;
  const child = spawn(
    'ffmpeg',
    [
      ...[
        '-v',
        'error',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'gray',
        '-s',
        `${WIDTH}x${HEIGHT}`,
        '-r',
        `${FPS}`,
        '-i',
        'pipe:0',
      ],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-threads',
        '1',
        '-crf',
        `${quality}`,
        '-g',
        `${2 * FPS}`,
        '-pix_fmt',
        'yuv420p',
      ],
      ...['-f', 'mp4', '-y', file],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'], signal },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  const closed = once(child, 'close');
  child.stdin.on('error', () => undefined);
  const random = createRandom(quality * 1000 + seconds);
  const grain = createGrain(random);
  const canvas = new Float32Array(PIXELS);
  for (let n = 0; n < seconds * FPS; n++) {
    const t = n / FPS;
    const stage = (name: (typeof effects)[number]['stage']) => {
      for (const effect of effects) if (effect.stage === name) effect.draw(canvas, t);
    };
    canvas.set(backdrop.picture);
    stage('scene');
    for (const actor of actors) drawActor(canvas, actor, t);
    stage('light');
    stage('near');
    stage('lens');
    const frame = Buffer.alloc(PIXELS);
    for (let y = 0, i = 0; y < HEIGHT; y++) {
      const from = Math.floor(random() * (grain.length - WIDTH));
      for (let x = 0; x < WIDTH; x++, i++)
        frame[i] = Math.max(
          0,
          Math.min(255, Math.round((canvas[i] as number) + noise * (grain[from + x] as number))),
        );
    }
    if (!child.stdin.write(frame)) await Promise.race([once(child.stdin, 'drain'), closed]);
  }
  child.stdin.end();
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg cannot encode ${file}: ${words.trim().split('\n').at(-1)}`);
}
