import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ClipProblem } from '../clip-problem.ts';
import { ONLY_THIS_FILE, runMediaTool } from './run-media-tool.ts';
import { selectExpression, type SamplingPlan } from './strategy.ts';

export interface SampledFrame {
  /** Packed RGB. Valid until the next frame is asked for. */
  readonly rgb: Uint8Array;
  /** Time in the clip. */
  readonly atMs: number;
}

export interface FrameSource {
  readonly frames: AsyncIterable<SampledFrame>;
  /** Frames decoded so far. */
  decoded(): number;
}

/** Most frames decoded of one clip: an hour at 30 frames a second. */
const MAX_DECODED = 108_000;

/** The frames of a plan, decoded and scaled by one ffmpeg with one thread.
 *  Two lists of times come beside the pictures: of every decoded frame, to count them, and of the chosen ones.
 *  ffmpeg waits while nobody reads, so memory holds one frame.
 *  Ends early, with what was decoded, when the file is cut off. */
export function sampleFrames(
  file: string,
  plan: SamplingPlan,
  size: { readonly width: number; readonly height: number },
  { signal, whitelist = ONLY_THIS_FILE }: { signal: AbortSignal; whitelist?: readonly string[] },
): FrameSource {
  let decoded = 0;

  async function* frames(): AsyncGenerator<SampledFrame> {
    const stop = new AbortController();
    const tool = runMediaTool('ffmpeg', decodeArguments(file, plan, size, whitelist), {
      signal: AbortSignal.any([signal, stop.signal]),
      extraPipes: 2,
    });
    const [allTimes, chosenTimes] = tool.pipes as [Readable, Readable];
    allTimes.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === NEWLINE) decodedLines++;
      decoded = decodedLines >>> 1;
      if (decoded > MAX_DECODED) stop.abort();
    });
    let decodedLines = 0;
    const times = frameTimes(chosenTimes);
    try {
      for await (const rgb of fixedChunks(tool.stdout, size.width * size.height * 3)) {
        const time = await times.next();
        if (time.done) throw new Error('ffmpeg gave a picture without its time');
        yield { rgb, atMs: time.value };
      }
      const { code, signal: killedBy } = await tool.ended;
      signal.throwIfAborted();
      // A decoder that was killed (memory) may succeed elsewhere; one that refused will refuse again.
      if (killedBy !== null)
        throw new ClipProblem('analysis.decoder-killed', `the decoder was ended by ${killedBy}`, {
          final: stop.signal.aborted,
        });
      if (decoded === 0)
        throw new ClipProblem(
          'clip.undecodable',
          `no picture could be decoded: ${tool.complaint() || `ffmpeg ended with ${code}`}`,
          { final: true },
        );
    } finally {
      stop.abort();
      await tool.ended;
    }
  }

  return { frames: { [Symbol.asyncIterator]: frames }, decoded: () => decoded };
}

const NEWLINE = 10;

function decodeArguments(
  file: string,
  plan: SamplingPlan,
  size: { readonly width: number; readonly height: number },
  whitelist: readonly string[],
): string[] {
  // A frame without metadata prints no time, hence the marks.
  const times = (mark: string, pipe: number) =>
    `metadata=mode=add:key=${mark}:value=1,metadata=mode=print:key=${mark}:direct=1:file='pipe\\:${pipe}'`;
  return [
    ...['-nostdin', '-v', 'error', '-threads', '1', '-filter_threads', '1'],
    ...(plan.keyFramesOnly ? ['-skip_frame', 'nokey'] : []),
    ...[...whitelist, '-i', file, '-map', '0:v:0', '-an', '-sn', '-dn', '-vf'],
    [
      times('decoded', 3),
      `select=${selectExpression(plan)}`,
      times('chosen', 4),
      `scale=${size.width}:${size.height}:flags=fast_bilinear`,
    ].join(','),
    ...['-frames:v', String(plan.maxAnalysed), '-fps_mode', 'passthrough'],
    ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
  ];
}

/** `frame:12 pts:600 pts_time:12.5` and a line with the mark, over and over. */
async function* frameTimes(stream: Readable): AsyncGenerator<number> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    const seconds = /pts_time:(-?[\d.]+)/.exec(line)?.[1];
    if (seconds !== undefined) yield Math.max(0, Math.round(Number(seconds) * 1000));
  }
}

/** Pieces of exactly `size` bytes, in one buffer that is used again; a rest that is shorter is dropped. */
async function* fixedChunks(stream: Readable, size: number): AsyncGenerator<Buffer> {
  const piece = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const taken = chunk.copy(piece, filled, from);
      from += taken;
      filled += taken;
      if (filled === size) {
        filled = 0;
        yield piece;
      }
    }
  }
}
