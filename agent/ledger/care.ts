import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { withDeadline } from '../kernel/deadline.ts';
import { Failure, type FailureKind } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';

/** What was found of a ledger's database before it is opened, and what was done about it.
 *  whole: nothing to do · mended: SQLite could · rebuilt: set aside, and begun anew from what could be read */
export type Finding =
  | { readonly state: 'whole' }
  | { readonly state: 'mended' | 'rebuilt'; readonly sentence: string };

/** So long after it a start tells again that the ledger was begun anew. */
export const NOTICE_HOURS = 24;

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

/** Ends by which a process crashes over what it reads. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL']);

const PROGRAM = new URL('care-process.ts', import.meta.url);
/** A hundred thousand clips are looked over in a second, and copied in ten. */
const DEADLINE_MS = 15 * 60_000;

/** Care in a process of its own: a check of a large database would stop everything else for seconds, and SQLite may
 *  crash on what a dying disk returns. A process that crashed is told the next time to leave the damaged database
 *  alone and to begin anew from the backup. */
export function createCare({
  dir,
  log,
  deadlineMs = DEADLINE_MS,
}: {
  readonly dir: string;
  readonly log: Log;
  readonly deadlineMs?: number;
}): Care {
  let crashes = 0;

  async function run(
    task: CareTask,
    flags: readonly string[],
    signal: AbortSignal,
  ): Promise<Extract<CareMessage, { finding: unknown }>['finding']> {
    const child = fork(PROGRAM, [task, dir, ...flags], {
      execArgv: [],
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
    const kill = () => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    try {
      const message = await withDeadline(
        answerOf(child),
        deadlineMs,
        'looking the ledger over',
        'ledger.care-deadline',
      );
      if (message === undefined) {
        const ended = child.signalCode ?? `exit ${child.exitCode}`;
        // Only these speak of the database: any other end says that the machine is short of something.
        const isCrash = CRASHES.has(ended) && !/out of memory/i.test(said);
        if (isCrash && !signal.aborted && task === 'look') crashes += 1;
        log.error(
          { event: 'ledger.care-crashed', task, ended, said },
          'the process that cares for the ledger ended before it was done',
        );
        throw new Failure(
          'transient',
          'ledger.care-crashed',
          `the process that checks the ledger ended before it was done (${ended})`,
        );
      }
      if (task === 'look') crashes = 0;
      if ('finding' in message) return message.finding;
      throw new Failure(message.failure.kind, message.failure.code, message.failure.message);
    } finally {
      signal.removeEventListener('abort', kill);
      kill();
    }
  }

  return {
    async look(signal) {
      const finding = await run('look', crashes > 1 ? ['--leave-damaged'] : [], signal);
      if (finding !== 'backed-up') return finding;
      throw new Failure('bug', 'ledger.care', 'the process that looks the ledger over did something else');
    },
    backUp: async (signal) => void (await run('back-up', [], signal)),
  };
}

/** @returns undefined when it ended without an answer */
async function answerOf(child: ChildProcess): Promise<CareMessage | undefined> {
  const answered = once(child, 'message').then(([message]) => message as CareMessage);
  const ended = once(child, 'close').then(() => undefined);
  return await Promise.race([answered, ended]);
}
