import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ONLY_THIS_FILE, runMediaTool } from './run-media-tool.ts';

/** Times of the pictures that decode without one error, milliseconds in the clip. Decodes once more and shows nothing:
 *  asked only of a clip that has errors, because a decoder otherwise paints over what it cannot read. It leaves out what
 *  it cannot read, and says of a picture that lacks a part that it is corrupt, just before it gives it out; so both are
 *  read from one and the same pipe, in which FFmpeg 5 keeps their order. */
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
      ...['-nostdin', '-v', 'repeat+warning', '-threads', '1', '-filter_threads', '1'],
      ...['-err_detect', 'explode', ...(keyFramesOnly ? ['-skip_frame', 'nokey'] : [])],
      ...[...whitelist, '-i', file, '-map', '0:v:0', '-an', '-sn', '-dn', '-vf'],
      "metadata=mode=add:key=decoded:value=1,metadata=mode=print:key=decoded:direct=1:file='pipe\\:2'",
      ...['-fps_mode', 'passthrough', '-f', 'null', '-'],
    ],
    { signal },
  );
  tool.stdout.resume();
  const times: number[] = [];
  let paintedOver = false;
  for await (const line of createInterface({ input: tool.stderr, crlfDelay: Infinity })) {
    paintedOver ||= line.includes(PAINTED_OVER);
    const atMs = printedTime(line);
    if (atMs === undefined) continue;
    if (!paintedOver) times.push(atMs);
    paintedOver = false;
  }
  await tool.ended;
  signal.throwIfAborted();
  return times;
}

/** What FFmpeg says of a picture that it had to complete, as a warning. */
export const PAINTED_OVER = 'corrupt decoded frame';

/** `frame:12 pts:600 pts_time:12.5` and a line with the mark, over and over. */
export async function* printedTimes(stream: Readable): AsyncGenerator<number> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    const atMs = printedTime(line);
    if (atMs !== undefined) yield atMs;
  }
}

function printedTime(line: string): number | undefined {
  const seconds = /pts_time:(-?[\d.]+)/.exec(line)?.[1];
  return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
}
