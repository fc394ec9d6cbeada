import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ToChild } from '../messages.ts';

export const CHILD_PROGRAM = new URL('../child/main.ts', import.meta.url);
/** Node's default of 4 threads is used up by two pipelines: files would wait for ever. */
const THREADS = '16';
/** Each of a child's twenty threads may have a heap of its own, which costs 12 MB and brings nothing. */
const HEAPS = '2';
/** Messages of a child may come after its exit, but not for long. */
const LAST_MESSAGES_MS = 2_000;
const LONGEST_LINE = 500;

/** Starts a capture child, which waits to be configured.
 *  @param said each line that it writes, cut
 *  @param program another one in tests
 *  @throws the system's error when it has no room for another process: other errors come with `exitOf` */
export function forkChild(
  environment: Readonly<Record<string, string>>,
  said: (line: string) => void,
  program = CHILD_PROGRAM,
): ChildProcess {
  const child = fork(program, [], {
    execArgv: [],
    env: { ...environment, UV_THREADPOOL_SIZE: THREADS, MALLOC_ARENA_MAX: HEAPS },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => said(line.slice(0, LONGEST_LINE)));
  }
  return child;
}

/** A child that is gone is told by its exit. */
export function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}

/** Waits until a child is gone and its last messages are read.
 *  @returns how it ended */
export function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(`the capture process could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      const how = `the capture process ended (${signal ?? `code ${code}`})`;
      const timer = setTimeout(() => resolve(how), LAST_MESSAGES_MS);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
  });
}
