import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Most text kept of what a tool says; the end is where the error stands. */
const STDERR_LIMIT = 8192;

/** What FFmpeg may open: local files and pipes, and only containers that hold a clip themselves. A playlist that
 *  calls itself `.mp4` cannot make it read other files or addresses. */
export const ONLY_THIS_FILE = [
  '-protocol_whitelist',
  'file,pipe',
  '-format_whitelist',
  'mov,avi,matroska,mpegts',
];

/** Pictures too: for files of the user's own, not somebody's upload. */
export const CLIPS_AND_PICTURES: readonly string[] = [
  ...ONLY_THIS_FILE.slice(0, -1),
  `${ONLY_THIS_FILE.at(-1)},image2,jpeg_pipe,png_pipe`,
];

export interface MediaTool {
  readonly child: ChildProcess;
  readonly stdout: Readable;
  /** Text; `complaint` and `counted` read it as well. */
  readonly stderr: Readable;
  /** Readable ends of the pipes 3 and up. */
  readonly pipes: readonly Readable[];
  /** Settles when the tool ended and its output is closed. Never rejects but when the tool cannot be started. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The end of what it said, without its information. */
  complaint(): string;
  /** How many of the lines it said hold the text that was to be counted. */
  counted(): number;
}

/** Starts ffmpeg or ffprobe. It is killed when the signal is aborted; whoever starts it awaits `ended`.
 *  @param input what it reads from its standard input; nothing when absent */
export function runMediaTool(
  program: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  {
    signal,
    extraPipes = 0,
    count,
    input,
  }: { signal: AbortSignal; extraPipes?: number; count?: string; input?: Uint8Array },
): MediaTool {
  signal.throwIfAborted();
  const child = spawn(program, args, {
    stdio: [
      input ? 'pipe' : 'ignore',
      'pipe',
      'pipe',
      ...Array.from({ length: extraPipes }, () => 'pipe' as const),
    ],
  });
  // A tool that ends before it has read everything says why by itself.
  child.stdin?.on('error', () => {}).end(input);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let said = '';
  let unfinished = '';
  let counted = 0;
  const stderr = child.stdio[2] as Readable;
  stderr.setEncoding('utf8');
  stderr.on('data', (text: string) => {
    said = (said + text).slice(-STDERR_LIMIT);
    if (count === undefined) return;
    const lines = (unfinished + text).split('\n');
    unfinished = (lines.pop() ?? '').slice(-STDERR_LIMIT);
    counted += lines.filter((line) => line.includes(count)).length;
  });
  const ended = once(child, 'close')
    .then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }))
    .finally(() => signal.removeEventListener('abort', kill));
  return {
    child,
    stdout: child.stdio[1] as Readable,
    stderr,
    pipes: child.stdio.slice(3) as Readable[],
    ended,
    complaint: () => said.trim().split('\n').slice(-3).join(' ').slice(-500),
    counted: () => counted,
  };
}

/** The whole output of a tool that says little.
 *  @param limit bytes; more is an error */
export async function outputOf(tool: MediaTool, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  tool.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else tool.child.kill('SIGKILL');
  });
  await tool.ended;
  if (size > limit) throw new Error(`the output is larger than ${limit} bytes`);
  return Buffer.concat(chunks);
}
