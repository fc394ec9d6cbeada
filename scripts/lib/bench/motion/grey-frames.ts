import { spawn } from 'node:child_process';
import { GREY } from '../../../../agent/capture/child/pipelines.ts';

export interface GreyOptions {
  /** Any video that ffmpeg reads. */
  readonly file: string;
  /** Distance of the pictures. */
  readonly everyMs: number;
  /** The first picture stands still this long first; its times are negative. */
  readonly leadInS: number;
}

const PIXELS = GREY.width * GREY.height;

/** Decodes a video to the grey pictures that the sub-stream of a camera would give: the whole picture, stretched to
 *  640 x 360 and thinned out to 320 x 180. Each moment shows the newest picture at or before it, and a picture that
 *  stands still comes again, as a camera sends it.
 *  @param onFrame the picture is used again for the next one
 *  @returns CPU seconds of the decoder */
export async function readGreyFrames(
  { file, everyMs, leadInS }: GreyOptions,
  onFrame: (frame: Uint8Array, atS: number) => void | Promise<void>,
): Promise<{ readonly decoderCpuS: number; readonly frames: number }> {
  const still = Math.round((leadInS * 1000) / everyMs);
  const filters = [
    'setpts=PTS-STARTPTS',
    `fps=1000/${everyMs}:round=up`,
    'scale=640:360',
    `scale=${GREY.width}:${GREY.height}:flags=neighbor`,
    'format=gray',
    ...(still > 0 ? [`tpad=start=${still}:start_mode=clone`] : []),
  ];
  const child = spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-hide_banner', '-v', 'info', '-nostats', '-benchmark', '-threads', '1'],
      ...['-i', `file:${file}`, '-map', '0:v:0', '-vf', filters.join(','), '-f', 'rawvideo', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4000);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const frame = new Uint8Array(PIXELS);
  let filled = 0;
  let frames = 0;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.subarray(at, at + PIXELS - filled);
        frame.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < PIXELS) continue;
        filled = 0;
        await onFrame(frame, ((frames++ - still) * everyMs) / 1000);
      }
    }
  } finally {
    child.kill();
  }
  const code = await ended;
  if (code !== 0 || frames === 0)
    throw new Error(`ffmpeg cannot read ${file}: ${words.trim().split('\n').at(-1) ?? ''}`);
  const [, user = '0', system = '0'] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(words) ?? [];
  return { decoderCpuS: Number(user) + Number(system), frames };
}
