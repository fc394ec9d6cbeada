import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Failure, type FailureKind } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Finding, RestoreDeps } from './restore.ts';

export interface Care {
  /** Looks the database over; must be asked by its owner, while it is not open.
   *  @throws Failure when it cannot be used and nothing can be done about it here */
  look(signal: AbortSignal): Promise<Finding>;
  /** Copies the open ledger to its backup.
   *  @throws Failure when that cannot be done now */
  backUp(signal: AbortSignal): Promise<void>;
}

/** What the process that cares sends, once. */
export type CareMessage =
  | { readonly finding: Finding | 'backed-up' }
  | { readonly failure: { readonly kind: FailureKind; readonly code: string; readonly message: string } };

/** The first argument of the process. */
export type CareTask = 'look' | 'back-up';

/** Number of the pipe on which the process says what it does next, a line each. */
export const STEPS_FD = 4;
/** What it is told about the database, as JSON, behind task and folder. */
export interface CareOrder {
  readonly known: NonNullable<RestoreDeps['known']>;
  /** Reads that have crashed a process before. */
  readonly crashed: readonly string[];
}

/** Ends by which a process crashes over what it reads. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL']);
/** After so many crashes of a look, what the database gives is read one by one. */
const LOOKS = 2;
/** So many of those reads may crash: two pages full of rows, and what leads to them. */
const CRASHED_READS_MAX = 200;

const PROGRAM = new URL('care-process.ts', import.meta.url);
/** Without a step. The longest one looks at every page: half a second for a hundred thousand clips, and minutes on a
 *  card that dies. */
const STALLED_MS = 15 * 60_000;
const LINE_MAX = 10_000;

type Answer =
  | { readonly finding: Extract<CareMessage, { finding: unknown }>['finding'] }
  /** SQLite crashed; at which read, when it was one of those that are done one by one. */
  | { readonly crashedAt: string; readonly failure: Failure };

/** Care in a process of its own: a check of a large database would stop everything else for seconds, and SQLite may
 *  crash on what a dying disk returns.
 *  After the second crash the database is not examined again: what it gives is read one by one, in a process of its
 *  own; each read that crashes it is left out by the next one. Only when that does not end is the database set aside
 *  unread.
 *  @param deps.stalledMs it is ended when it makes no step for so long; how long it takes in all has no bound
 *  @param deps.nodeOptions of the process */
export function createCare({
  dir,
  log,
  stalledMs = STALLED_MS,
  crashedReadsMax = CRASHED_READS_MAX,
  nodeOptions = [],
}: {
  readonly dir: string;
  readonly log: Log;
  readonly stalledMs?: number;
  readonly crashedReadsMax?: number;
  readonly nodeOptions?: readonly string[];
}): Care {
  let crashes = 0;
  /** Reads that have crashed; kept when something else ends the process that leaves them out. */
  const crashed = new Set<string>();

  async function run(task: CareTask, order: CareOrder, signal: AbortSignal): Promise<Answer> {
    const child = fork(PROGRAM, [task, dir, JSON.stringify(order)], {
      execArgv: [...nodeOptions],
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
    const kill = () => void child.kill('SIGKILL');
    let isStalled = false;
    const stall = setTimeout(() => {
      isStalled = true;
      kill();
    }, stalledMs);
    let steps = '';
    const pipe = child.stdio[STEPS_FD] as Readable;
    pipe.setEncoding('utf8').on('data', (text: string) => {
      steps = (steps + text).slice(-LINE_MAX);
      stall.refresh();
    });
    signal.addEventListener('abort', kill, { once: true });
    try {
      const message = await answerOf(child);
      const step = steps.split('\n').at(-2) ?? '';
      if (message === undefined) {
        const ended = child.signalCode ?? `exit ${child.exitCode}`;
        log.error(
          { event: 'ledger.care-crashed', task, ended, step, said },
          'the process that cares for the ledger ended before it was done',
        );
        const failure = isStalled ? stalled(stalledMs, step) : crashedWith(ended);
        // Only these speak of the database: any other end says that the machine is short of something.
        const isCrash = CRASHES.has(ended) && !/out of memory/i.test(said) && !signal.aborted;
        if (isCrash && task === 'look') return { crashedAt: step, failure };
        throw failure;
      }
      if ('finding' in message) return { finding: message.finding };
      throw new Failure(message.failure.kind, message.failure.code, message.failure.message);
    } finally {
      clearTimeout(stall);
      signal.removeEventListener('abort', kill);
      kill();
    }
  }

  /** Reads the database one by one, as often as reads crash.
   *  @returns undefined when that does not end */
  async function readOneByOne(signal: AbortSignal): Promise<Answer | undefined> {
    while (crashed.size < crashedReadsMax) {
      const answer = await run('look', { known: 'crashes', crashed: [...crashed] }, signal);
      if (!('crashedAt' in answer)) return answer;
      if (answer.crashedAt === '' || crashed.has(answer.crashedAt)) return undefined;
      crashed.add(answer.crashedAt);
    }
    return undefined;
  }

  return {
    async look(signal) {
      const answer =
        crashes < LOOKS
          ? await run('look', { known: 'unknown', crashed: [] }, signal)
          : ((await readOneByOne(signal)) ??
            (await run('look', { known: 'unreadable', crashed: [] }, signal)));
      if ('crashedAt' in answer) {
        crashes += 1;
        throw answer.failure;
      }
      crashes = 0;
      crashed.clear();
      if (answer.finding !== 'backed-up') return answer.finding;
      throw new Failure('bug', 'ledger.care', 'the process that looks the ledger over did something else');
    },
    backUp: async (signal) => void (await run('back-up', { known: 'unknown', crashed: [] }, signal)),
  };
}

/** @returns undefined when it ended without an answer */
async function answerOf(child: ChildProcess): Promise<CareMessage | undefined> {
  const answered = once(child, 'message').then(([message]) => message as CareMessage);
  const ended = once(child, 'close').then(() => undefined);
  return await Promise.race([answered, ended]);
}

const stalled = (ms: number, step: string) =>
  new Failure(
    'transient',
    'ledger.care-stalled',
    `the process that checks the ledger made no progress for ${Math.round(ms / 1_000)} s (${step})`,
  );

const crashedWith = (ended: string) =>
  new Failure(
    'transient',
    'ledger.care-crashed',
    `the process that checks the ledger ended before it was done (${ended})`,
  );
