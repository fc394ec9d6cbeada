import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '../places.ts';
import { unfinished } from './begun-tests.ts';
import { readTotals, type Totals } from './totals.ts';

const SPEC = join(import.meta.dirname, 'spec-without-totals.ts');
const BEGUN = join(import.meta.dirname, 'begun-tests.ts');
/** From SIGTERM to SIGKILL, for a file that has passed its deadline and for what it started. */
const GRACE_MS = 5_000;
/** Hundreds of processes load the same files: what one has compiled, types stripped, the next need not. Node looks at
 *  the content of a file, so it is never an older one. */
const env: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_COMPILE_CACHE: join(repoRoot, 'node_modules/.cache/compiled'),
};
// With it, a test file that is played by a test would answer in the words of node's own runner.
delete env['NODE_TEST_CONTEXT'];

export interface FileResult {
  /** From the checkout. */
  readonly file: string;
  /** `hung`: it had not ended at its deadline, and was ended. */
  readonly outcome: 'passed' | 'failed' | 'hung';
  /** What it said, standard error included. */
  readonly said: string;
  readonly seconds: number;
  readonly totals: Totals;
}

/** Plays one test file in a process of its own. One that has not ended after `deadlineMs` is ended, together with the
 *  processes it began (its process group), and so is one that runs when `signal` is aborted.
 *  @param file from the checkout, or absolute */
export async function playFile(file: string, deadlineMs: number, signal: AbortSignal): Promise<FileResult> {
  const began = performance.now();
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-test-'));
  // A file and no pipe: what a test leaves running would hold a pipe open, and us with it.
  const [words, begun] = [join(dir, 'words'), join(dir, 'begun')];
  const out = openSync(words, 'w');
  try {
    const reporters = [
      `--test-reporter=${SPEC}`,
      '--test-reporter-destination=stdout',
      `--test-reporter=${BEGUN}`,
      `--test-reporter-destination=${begun}`,
    ];
    const child = spawn(process.execPath, [...reporters, file], {
      cwd: repoRoot,
      env,
      stdio: ['ignore', out, out],
      detached: true,
    });
    const { code, hung } = await endOf(child, deadlineMs, signal);
    const events = existsSync(begun) ? readFileSync(begun, 'utf8') : '';
    const at = hung ? unfinished(events) : [];
    const last = hung
      ? `✖ no end after ${deadlineMs / 1000} s${at.map((name) => `, at: ${name}`).join('')}\n`
      : '';
    return {
      file,
      outcome: hung ? 'hung' : code === 0 ? 'passed' : 'failed',
      said: readFileSync(words, 'utf8') + last,
      seconds: (performance.now() - began) / 1000,
      totals: readTotals(events, !hung && code === 0),
    };
  } finally {
    closeSync(out);
    rmSync(dir, { recursive: true, force: true });
  }
}

function endOf(child: ChildProcess, deadlineMs: number, signal: AbortSignal) {
  return new Promise<{ code: number | null; hung: boolean }>((resolve, reject) => {
    let hung = false;
    let toKill: NodeJS.Timeout | undefined;
    const end = () => {
      signalGroup(child, 'SIGTERM');
      toKill ??= setTimeout(signalGroup, GRACE_MS, child, 'SIGKILL');
    };
    const deadline = setTimeout(() => {
      hung = true;
      end();
    }, deadlineMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    const settled = () => {
      clearTimeout(deadline);
      clearTimeout(toKill);
      signal.removeEventListener('abort', end);
    };
    child.once('error', (error) => {
      settled();
      reject(error);
    });
    child.once('exit', (code) => {
      settled();
      // What it began and could not put away.
      if (hung || signal.aborted) signalGroup(child, 'SIGKILL');
      resolve({ code, hung });
    });
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The whole group has ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Places for files of several suites that are played side by side. */
export interface Slots {
  /** Waits for a place, in the order of asking. */
  take(): Promise<void>;
  give(): void;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async take() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    give() {
      const next = waiting.shift();
      if (next) next();
      else free++;
    },
  };
}

/** Plays files, `atOnce` at a time and each in one of the slots, in their order. Each is told when it has ended.
 *  @param signal once it is aborted no further file begins
 *  @returns in the order in which they ended */
export async function playFiles(
  files: readonly string[],
  play: {
    readonly atOnce: number;
    readonly slots: Slots;
    readonly deadlineMs: number;
    readonly signal: AbortSignal;
  },
  tell: (result: FileResult) => void,
): Promise<FileResult[]> {
  const left = files.values();
  const results: FileResult[] = [];
  const player = async () => {
    for (const file of left) {
      await play.slots.take();
      try {
        if (play.signal.aborted) return;
        const result = await playFile(file, play.deadlineMs, play.signal);
        results.push(result);
        tell(result);
      } finally {
        play.slots.give();
      }
    }
  };
  await Promise.all(Array.from({ length: play.atOnce }, player));
  return results;
}
