import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { prepareFootage, type OnProgress } from './footage.ts';

const PROGRAM = fileURLToPath(new URL('camera.py', import.meta.url));
// Debian's own Python: the one that has Debian's python3-gi.
const PYTHON = '/usr/bin/python3';
const START_MS = 60_000;
const STOP_MS = 5_000;

export interface CameraOptions {
  /** Any video that ffmpeg reads. */
  readonly video: string;
  /** From one key frame to the next; default 2 s. */
  readonly gopMs?: number | undefined;
  /** How long the first picture stands still, counted from the first viewer's PLAY. Default 0. */
  readonly leadInS?: number;
  /** Footage again and again (default), or once and then its last picture standing still. */
  readonly loop?: boolean;
  /** Default 0: one that is free. */
  readonly port?: number;
  /** Where encoded footage is kept; the same video is encoded once. */
  readonly cacheDir: string;
  readonly onProgress?: OnProgress | undefined;
  readonly onEvent?: ((event: CameraEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `atMs`: wall time in milliseconds since 1970. */
export type CameraEvent =
  | {
      readonly event: 'viewers';
      readonly stream: 'main' | 'sub';
      readonly viewers: number;
      readonly atMs: number;
    }
  | { readonly event: 'footage-started' | 'footage-ended'; readonly atMs: number }
  | { readonly event: 'fault'; readonly fault: Fault | null; readonly atMs: number };

/** freeze: connections stay, pictures stop · drop: about every third picture is lost · garbage: pictures are
 *  damaged on the way. */
export type Fault = 'freeze' | 'drop' | 'garbage';

export interface CameraExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CameraSimulator {
  readonly mainUrl: string;
  readonly subUrl: string;
  readonly pid: number;
  /** Settles when the process is gone, for whatever reason; never rejects. */
  readonly exited: Promise<CameraExit>;
  /** The next event that passes, also one that has already happened. Rejects when the camera ends first. */
  event(matches: (event: CameraEvent) => boolean): Promise<CameraEvent>;
  setFault(fault: Fault | null): void;
  /** SIGSTOP and SIGCONT freeze and thaw it, SIGKILL is a cut of its power. */
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Starts a simulated RTSP camera in a process of its own, which ends with this process. Rejects with one sentence
 *  for a person when the video cannot be used or the camera cannot start. */
export async function startCamera(given: CameraOptions): Promise<CameraSimulator> {
  const { leadInS = 0, loop = true, port = 0, onEvent, signal } = given;
  const footage = await prepareFootage(given);
  signal?.throwIfAborted();
  const options = ['--port', `${port}`, '--lead-in', `${leadInS}`, ...(loop ? [] : ['--once'])];
  // In a process group of its own: Ctrl-C reaches only us, and the camera still runs while others are stopped.
  const child = spawn(PYTHON, [PROGRAM, footage.dir, ...options], { stdio: 'pipe', detached: true });
  // The pipe breaks when the camera is killed; that is told by `exited`.
  child.stdin.on('error', () => undefined);

  let lastWords = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2000);
  });
  const exited = new Promise<CameraExit>((resolve) => {
    child.once('error', (error) => {
      lastWords = error.message;
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const events = createEvents(exited);
  const ready = new Promise<{ mainUrl: string; subUrl: string }>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as CameraEvent & { ready?: true; mainUrl: string; subUrl: string };
      if (said.ready) return resolve(said);
      events.add(said);
      onEvent?.(said);
    });
  });
  const failed = exited.then(() => {
    throw new Error(`The camera did not start: ${lastWords.trim().split('\n').at(-1) || 'it said nothing'}`);
  });
  const urls = await withinStart(Promise.race([ready, failed]), child, signal);
  return {
    mainUrl: urls.mainUrl,
    subUrl: urls.subUrl,
    pid: child.pid ?? 0,
    exited,
    event: (matches) => events.next(matches),
    setFault: (fault) => void child.stdin.write(`${JSON.stringify({ fault })}\n`),
    kill: (signal) => void child.kill(signal),
    stop: () => stop(child, exited),
  };
}

async function withinStart<T>(
  started: Promise<T>,
  child: ChildProcess,
  signal: AbortSignal | undefined,
): Promise<T> {
  const kill = () => void child.kill('SIGKILL');
  const timer = setTimeout(kill, START_MS);
  signal?.addEventListener('abort', kill);
  try {
    return await started;
  } finally {
    signal?.removeEventListener('abort', kill);
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess, exited: Promise<CameraExit>): Promise<void> {
  child.kill('SIGTERM');
  // A stopped process hears SIGTERM only when it goes on.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/** Events so far and the wish for the next; the last thousand are kept. */
function createEvents(exited: Promise<CameraExit>) {
  const kept: CameraEvent[] = [];
  const waiting = new Set<(event: CameraEvent) => void>();
  return {
    add(event: CameraEvent): void {
      kept.push(event);
      if (kept.length > 1000) kept.shift();
      for (const tell of waiting) tell(event);
    },
    async next(matches: (event: CameraEvent) => boolean): Promise<CameraEvent> {
      const past = kept.find(matches);
      if (past) return past;
      const { promise, resolve } = Promise.withResolvers<CameraEvent>();
      const tell = (event: CameraEvent) => void (matches(event) && resolve(event));
      waiting.add(tell);
      const ended = exited.then(() => {
        throw new Error('The camera ended before that happened.');
      });
      try {
        return await Promise.race([promise, ended]);
      } finally {
        waiting.delete(tell);
      }
    },
  };
}
