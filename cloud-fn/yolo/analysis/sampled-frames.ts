import type { Readable } from 'node:stream';
import { ClipProblem } from '../clip-problem.ts';
import { type FullPicture, pictureBytes, pictureOf } from './looks/full-picture.ts';
import { PAINTED_OVER, printedTimes } from './faultless-pictures.ts';
import { ONLY_THIS_FILE, runMediaTool } from './run-media-tool.ts';
import { selectExpression, type SamplingPlan } from './strategy.ts';

export interface SampledFrame {
  readonly picture: FullPicture;
  /** Time in the clip. */
  readonly atMs: number;
}

export interface FrameSource {
  readonly frames: AsyncIterable<SampledFrame>;
  /** Times of the frames decoded so far, milliseconds in the clip. */
  readonly decodedMs: readonly number[];
  /** Frames decoded so far that the decoder knows to be wrong: it painted over what it could not read. */
  paintedOver(): number;
}

/** Most frames decoded of one clip: an hour at 30 frames a second. */
const MAX_DECODED = 108_000;

/** The frames of a plan, decoded by one ffmpeg with one thread, in the camera's own pixels.
 *  Two lists of times come beside the pictures: of every decoded frame, to count them, and of the chosen ones.
 *  ffmpeg waits while nobody reads, so memory holds one frame.
 *  Ends early, with what was decoded, when the file is cut off. */
export function sampleFrames(
  file: string,
  plan: SamplingPlan,
  size: { readonly width: number; readonly height: number },
  { signal, whitelist = ONLY_THIS_FILE }: { signal: AbortSignal; whitelist?: readonly string[] },
): FrameSource {
  const decodedMs: number[] = [];
  const fromMs = plan.window?.fromMs ?? 0;
  let painted = () => 0;

  async function* frames(): AsyncGenerator<SampledFrame> {
    const stop = new AbortController();
    const tool = runMediaTool('ffmpeg', decodeArguments(file, plan, size, whitelist), {
      signal: AbortSignal.any([signal, stop.signal]),
      extraPipes: 2,
      count: PAINTED_OVER,
    });
    const [allTimes, chosenTimes] = tool.pipes as [Readable, Readable];
    painted = () => tool.counted();
    const counted = (async () => {
      for await (const atMs of printedTimes(allTimes)) {
        decodedMs.push(fromMs + atMs);
        if (decodedMs.length > MAX_DECODED) stop.abort();
      }
    })();
    const times = printedTimes(chosenTimes);
    try {
      for await (const bytes of fixedChunks(tool.stdout, pictureBytes(size.width, size.height))) {
        const time = await times.next();
        if (time.done) throw new Error('ffmpeg gave a picture without its time');
        yield { picture: pictureOf(bytes, size.width, size.height), atMs: Math.max(0, fromMs + time.value) };
      }
      await counted;
      const { code, signal: killedBy } = await tool.ended;
      signal.throwIfAborted();
      // A decoder that was killed (memory) may succeed elsewhere; one that refused will refuse again.
      if (killedBy !== null)
        throw new ClipProblem('analysis.decoder-killed', `the decoder was ended by ${killedBy}`, {
          final: stop.signal.aborted,
        });
      if (decodedMs.length === 0)
        throw new ClipProblem(
          'clip.undecodable',
          `no picture could be decoded: ${tool.complaint() || `ffmpeg ended with ${code}`}`,
          { final: true },
        );
    } finally {
      stop.abort();
      await Promise.allSettled([counted, tool.ended]);
    }
  }

  return { frames: { [Symbol.asyncIterator]: frames }, decodedMs, paintedOver: () => painted() };
}

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
    ...['-nostdin', '-v', 'repeat+warning', '-threads', '1', '-filter_threads', '1'],
    ...(plan.keyFramesOnly ? ['-skip_frame', 'nokey'] : []),
    // Before the input: only what is wanted is decoded, from the key frame before it on, and times count from there.
    ...(plan.window
      ? ['-ss', seconds(plan.window.fromMs), '-t', seconds(plan.window.toMs - plan.window.fromMs)]
      : []),
    ...[...whitelist, '-i', file, '-map', '0:v:0', '-an', '-sn', '-dn', '-vf'],
    [
      times('decoded', 3),
      `select=${selectExpression(plan)}`,
      times('chosen', 4),
      `scale=${size.width}:${size.height}:flags=fast_bilinear:out_range=tv`,
    ].join(','),
    ...['-frames:v', String(plan.maxAnalysed), '-fps_mode', 'passthrough'],
    ...['-pix_fmt', 'yuv420p', '-f', 'rawvideo', 'pipe:1'],
  ];
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

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
