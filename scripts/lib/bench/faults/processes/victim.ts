/** A process that is killed, whose disk fails, and that comes back. */
import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import type { DiskRules } from '../disk/disk-faults.ts';

const KEEP_COMPILED = new URL('keep-compiled.ts', import.meta.url).href;
const READY_MS = 30_000;
const WORDS = 6_000;
const LAST_WORDS = 600;

export interface Victim {
  /** What it said when it was ready. */
  ready(): unknown;
  alive(): boolean;
  pid(): number | undefined;
  /** Starts it when it does not run. A start that fails is no failure of the harness: its disk may be broken.
   *  @returns whether it runs */
  start(): Promise<boolean>;
  send(message: Serializable): void;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Asks it to end, and kills it when it does not. */
  stop(): Promise<void>;
  /** Each time it ended by itself, without a kill: how, and its last words before. */
  endedByItself(): readonly string[];
  /** The end of its log. */
  words(): string;
  readonly rules: DiskRules | undefined;
}

export interface VictimDeps {
  readonly main: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly rules?: DiskRules | undefined;
  readonly onMessage?: (message: unknown) => void;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<NodeJS.Signals | null>;
}

export function createVictim({ main, args, environment, rules, onMessage }: VictimDeps): Victim {
  let running: Running | undefined;
  let ready: unknown;
  const ends: string[] = [];
  let words = '';

  function launch(): Running {
    const child = fork(main, [...args], {
      env: { ...environment, ...rules?.environment },
      execArgv: ['--import', KEEP_COMPILED],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-WORDS);
    });
    child.on('message', (message) => onMessage?.(message));
    const ended = new Promise<NodeJS.Signals | null>((resolve) => {
      child.once('exit', (code, signal) => {
        if (running?.child === child) running = undefined;
        if (signal !== 'SIGKILL' && signal !== 'SIGTERM' && code !== 0) {
          ends.push(`${code ?? signal}: ${words.slice(-LAST_WORDS)}`);
          words = `${words}\n(it ended by itself: ${code ?? signal})\n`.slice(-WORDS);
        }
        resolve(signal);
      });
    });
    return { child, ended };
  }

  async function start(): Promise<boolean> {
    if (running) return true;
    const one = launch();
    running = one;
    let timer: NodeJS.Timeout | undefined;
    const isReady = await Promise.race([
      new Promise<boolean>((resolve) => {
        one.child.on('message', (message) => {
          if ((message as { ready?: boolean }).ready !== true) return;
          ready = message;
          resolve(true);
        });
      }),
      one.ended.then(() => false),
      new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), READY_MS);
      }),
    ]);
    clearTimeout(timer);
    if (!isReady) await end('SIGKILL');
    return isReady;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const one = running;
    if (!one) return;
    one.child.kill(signal);
    const force = setTimeout(() => one.child.kill('SIGKILL'), READY_MS);
    await one.ended;
    clearTimeout(force);
  }

  return {
    rules,
    ready: () => ready,
    alive: () => running !== undefined,
    pid: () => running?.child.pid,
    start,
    send(message) {
      if (running?.child.connected) running.child.send(message, undefined, undefined, () => undefined);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    endedByItself: () => ends,
    words: () => words,
  };
}
