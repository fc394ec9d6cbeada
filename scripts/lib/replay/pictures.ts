import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Canvas } from './canvas.ts';

/** Takes one canvas after the other, all of the same size. */
export interface PictureWriter {
  add(canvas: Pick<Canvas, 'bytes'>): Promise<void>;
  end(): Promise<void>;
}

/** An MP4 that any player takes. */
export const writeVideo = (file: string, size: Pick<Canvas, 'width' | 'height'>, perSecond: number) =>
  openWriter(size, perSecond, [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '24', '-pix_fmt', 'yuv420p'],
    ...['-movflags', '+faststart', `file:${file}`],
  ]);

export async function writePng(file: string, canvas: Canvas): Promise<void> {
  const writer = openWriter(canvas, 1, ['-frames:v', '1', '-f', 'image2', '-c:v', 'png', `file:${file}`]);
  await writer.add(canvas);
  await writer.end();
}

function openWriter(
  { width, height }: Pick<Canvas, 'width' | 'height'>,
  perSecond: number,
  output: readonly string[],
): PictureWriter {
  const raw = ['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`];
  const child = spawn(
    'ffmpeg',
    ['-nostdin', '-v', 'error', '-y', ...raw, '-framerate', `${perSecond}`, '-i', 'pipe:0', ...output],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  // A broken pipe is told by the exit code.
  child.stdin.on('error', () => undefined);
  const ended = exitOf(child);
  // Told by `end`, or by the next picture.
  ended.catch(() => undefined);
  const failure = () => new Error(`ffmpeg cannot write: ${words.trim().split('\n').at(-1) ?? ''}`);
  return {
    add: async ({ bytes }) => {
      if (child.exitCode !== null) throw failure();
      // The canvas is drawn on again while the pipe still holds these bytes.
      if (child.stdin.write(Uint8Array.from(bytes))) return;
      await Promise.race([once(child.stdin, 'drain'), ended]);
    },
    end: async () => {
      child.stdin.end();
      if ((await ended) !== 0) throw failure();
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
}
