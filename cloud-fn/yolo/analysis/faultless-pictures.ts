import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ONLY_THIS_FILE, runMediaTool } from './run-media-tool.ts';

/** Times of the pictures that decode without one error, milliseconds in the clip. Decodes once more and shows nothing:
 *  asked only of a clip that has errors, because a decoder otherwise paints over what it cannot read. */
export async function faultlessPictures(
  file: string,
  {
    keyFramesOnly,
    signal,
    whitelist = ONLY_THIS_FILE,
  }: { keyFramesOnly: boolean; signal: AbortSignal; whitelist?: readonly string[] },
): Promise<number[]> {
  const tool = runMediaTool(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-threads', '1', '-filter_threads', '1', '-err_detect', 'explode'],
      ...(keyFramesOnly ? ['-skip_frame', 'nokey'] : []),
      ...[...whitelist, '-i', file, '-map', '0:v:0', '-an', '-sn', '-dn', '-vf'],
      "metadata=mode=add:key=decoded:value=1,metadata=mode=print:key=decoded:direct=1:file='pipe\\:3'",
      ...['-fps_mode', 'passthrough', '-f', 'null', '-'],
    ],
    { signal, extraPipes: 1 },
  );
  tool.stdout.resume();
  const times: number[] = [];
  for await (const atMs of printedTimes(tool.pipes[0] as Readable)) times.push(atMs);
  await tool.ended;
  signal.throwIfAborted();
  return times;
}

/** `frame:12 pts:600 pts_time:12.5` and a line with the mark, over and over. */
export async function* printedTimes(stream: Readable): AsyncGenerator<number> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    const seconds = /pts_time:(-?[\d.]+)/.exec(line)?.[1];
    if (seconds !== undefined) yield Math.round(Number(seconds) * 1000);
  }
}
