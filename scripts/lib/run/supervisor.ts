import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastWords } from './last-words.ts';

/** A process of the product, started with an IPC channel: it says `{ready: true, …}` when it serves, and ends by
 *  itself when the channel closes, so nothing survives a killed supervisor. */
export interface ProcessSpec {
  readonly name: string;
  /** Entry file, run by the Node that runs us. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Longest that it may take from start to ready, milliseconds. */
  readonly readyMs: number;
}

export type Ready = Readonly<Record<string, unknown>>;

interface Entry {
  readonly spec: ProcessSpec;
  child: ChildProcess | undefined;
  /** Has been ready once: only then is a death answered with a restart. */
  served: boolean;
  restarts: number;
  restartTimer: NodeJS.Timeout | undefined;
}

const { PATH = '', HOME = '/', NODE_COMPILE_CACHE } = process.env;
/** All that processes get of our environment. With Node's cache of compiled code, where there is one, they start with
 *  half the work. */
const INHERITED = { PATH, HOME, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
/** A process that lived this long is healthy again: its next death restarts it at once. */
const HEALTHY_MS = 60_000;

export interface SupervisorDeps {
  readonly logDir: string;
  /** Longest that one process may take to end before it is killed, milliseconds. */
  readonly stopMs: number;
  readonly onRestart: (name: string, why: string, inMs: number) => void;
}

/** Starts processes in order, restarts those that die, stops all in reverse.
 *  Invariants
 *  1. After `stop` no process that was started here runs.
 *  2. A process that dies is started again, sooner the longer it had lived; one that was halted is not.
 *  3. The log of each (standard error) goes to a file of its own below `logDir`; what it says when it is ready
 *     may hold keys and goes nowhere. */
// oxlint-disable-next-line max-lines-per-function -- a process is launched, watched and ended around one entry, and the list of entries is what `stop` goes through
export function createSupervisor({ logDir, stopMs, onRestart }: SupervisorDeps) {
  const entries: Entry[] = [];
  let stopping = false;

  function launch(entry: Entry): Promise<Ready> {
    const { spec } = entry;
    const log = openSync(logFile(spec.name), 'a', 0o600);
    const logBegins = fstatSync(log).size;
    const whyEnded = (code: number | null, signal: NodeJS.Signals | null) =>
      signal ?? lastWords(logFile(spec.name), logBegins) ?? `exit code ${code}`;
    // A process group of its own: Ctrl-C must reach only us, so that we can stop them in order.
    const child = spawn(process.execPath, [spec.entry, ...spec.args], {
      env: { ...INHERITED, ...spec.env },
      stdio: ['ignore', 'ignore', log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    entry.child = child;
    writePids();
    const startedAt = performance.now();

    child.once('exit', (code, signal) => {
      entry.child = undefined;
      writePids();
      if (stopping || !entry.served) return;
      if (performance.now() - startedAt > HEALTHY_MS) entry.restarts = 0;
      const inMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** entry.restarts);
      entry.restarts += 1;
      onRestart(spec.name, whyEnded(code, signal), inMs);
      entry.restartTimer = setTimeout(() => {
        launch(entry).catch(() => {
          // Its exit has scheduled the next start already.
        });
      }, inMs);
    });

    return new Promise<Ready>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(`${spec.name} was not ready after ${spec.readyMs / 1000} s; see ${logFile(spec.name)}`),
        );
      }, spec.readyMs);
      child.on('message', (message: unknown) => {
        if (typeof message !== 'object' || message === null || !('ready' in message)) return;
        clearTimeout(timer);
        entry.served = true;
        resolve({ ...message });
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(
          new Error(
            `${spec.name} ended before it was ready: ${whyEnded(code, signal)} (see ${logFile(spec.name)})`,
          ),
        );
      });
    });
  }

  /** `processes.json` beside the logs: which process is which, for people with a question and for the kill tests. */
  const writePids = () => {
    const pids = Object.fromEntries(
      entries.flatMap(({ spec, child }) => (child?.pid ? [[spec.name, child.pid]] : [])),
    );
    writeFileSync(join(logDir, 'processes.json'), `${JSON.stringify(pids, null, 2)}\n`);
  };

  const logFile = (name: string) => join(logDir, `${name}.log`);

  function find(name: string): Entry {
    const entry = entries.find(({ spec }) => spec.name === name);
    if (!entry) throw new Error(`no process "${name}" was started`);
    return entry;
  }

  async function end(entry: Entry): Promise<void> {
    clearTimeout(entry.restartTimer);
    const child = entry.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await exited;
    clearTimeout(kill);
  }

  return {
    /** Resolves with what the process said when it was ready; a process that dies before its first ready is not
     *  started again, and the error says what it said last. Nothing starts any more once all is being stopped. */
    async start(spec: ProcessSpec): Promise<Ready> {
      if (stopping) throw new Error(`${spec.name} is not started: everything is being stopped`);
      const entry: Entry = {
        spec,
        child: undefined,
        served: false,
        restarts: 0,
        restartTimer: undefined,
      };
      entries.push(entry);
      try {
        return await launch(entry);
      } catch (error) {
        entries.splice(entries.indexOf(entry), 1);
        await end(entry);
        throw error;
      }
    },
    /** Ends one process in good order. It stays down until `resume`. */
    async halt(name: string): Promise<void> {
      const entry = find(name);
      entry.served = false;
      await end(entry);
    },
    /** Starts a process that was halted. Rejects like `start`; it can be tried again then. */
    async resume(name: string): Promise<Ready> {
      if (stopping) throw new Error(`${name} is not started again: everything is being stopped`);
      return await launch(find(name));
    },
    async stop(): Promise<void> {
      stopping = true;
      for (const entry of entries.toReversed()) await end(entry);
    },
  };
}

export type Supervisor = ReturnType<typeof createSupervisor>;
