import { spawn } from 'node:child_process';
import { rename } from 'node:fs/promises';
import type { KeyPicture } from '../../../agent/capture/check/stream-measure.ts';

const DECODE_MS = 20_000;

const DEMUXERS = { H264: 'h264', H265: 'hevc' } as const;

/** Makes a JPEG of one key frame (annex B), by way of a file beside it.
 *  @returns what kept it from being made, for a person; undefined: it is there */
export async function writePicture(
  { encoding, bytes }: KeyPicture,
  file: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const input = ['-nostdin', '-v', 'error', '-y', '-f', DEMUXERS[encoding], '-i', 'pipe:0'];
  const output = [
    '-frames:v',
    '1',
    '-q:v',
    '3',
    '-f',
    'image2',
    '-update',
    '1',
    '-c:v',
    'mjpeg',
    `${file}.tmp`,
  ];
  const { PATH = '' } = process.env;
  const ffmpeg = spawn('ffmpeg', [...input, ...output], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH },
    timeout: DECODE_MS,
    signal,
  });
  let said = '';
  ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  // What does not read to the end says why itself.
  ffmpeg.stdin.on('error', () => undefined);
  ffmpeg.stdin.end(bytes);
  const problem = await new Promise<string | undefined>((done) => {
    ffmpeg.once('error', (error) => done(`ffmpeg cannot be started: ${error.message}`));
    ffmpeg.once('close', (code) =>
      done(code === 0 ? undefined : `ffmpeg cannot decode it: ${said.trim().split('\n').at(-1) ?? ''}`),
    );
  });
  if (problem !== undefined) return problem;
  await rename(`${file}.tmp`, file);
  return undefined;
}
