import { fork, type ChildProcess } from 'node:child_process';

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

export interface ChildService<Ready> {
  readonly ready: Ready;
  readonly pid: number;
  /** Resolves when the process has ended, however it ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to stop; kills it when it does not within 15 s. */
  stop(): Promise<void>;
  /** SIGKILL, as a power cut would. */
  kill(): Promise<void>;
}

export interface ChildServiceOptions {
  /** The service's `main.ts`. */
  readonly main: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly onLog?: (line: string) => void;
}

/** Starts a service's `main.ts` as a child and waits for its ready line. The child ends with this process.
 *  @throws Error with the end of its log when it dies or stays silent for 60 s */
export async function startChildService<Ready>(options: ChildServiceOptions): Promise<ChildService<Ready>> {
  const child = fork(options.main, [...options.args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    ...(options.env ? { env: options.env } : {}),
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4000);
    options.onLog?.(text);
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(force);
  };
  try {
    const ready = await readyOf<Ready>(child, ended);
    return {
      ready,
      pid: child.pid ?? 0,
      ended,
      stop: () => end('SIGTERM'),
      kill: () => end('SIGKILL'),
    };
  } catch (error) {
    await end('SIGKILL');
    throw new Error(`${options.main}: ${(error as Error).message}\n${tail}`, { cause: error });
  }
}

async function readyOf<Ready>(child: ChildProcess, ended: Promise<{ code: number | null }>): Promise<Ready> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      new Promise<Ready>((resolve) => {
        child.on('message', (message) => {
          if ((message as { ready?: boolean }).ready === true) resolve(message as Ready);
        });
      }),
      ended.then(({ code }) => {
        throw new Error(`ended with code ${code} before it was ready`);
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not ready after ${READY_WITHIN_MS} ms`)), READY_WITHIN_MS);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
