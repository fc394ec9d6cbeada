/** What all commands do alike: signals, exit codes, and the sentence at the end. It loads little, so that a signal is
 *  obeyed while the rest of the command is still being loaded. */
import { Failure } from '../../../agent/kernel/failure.ts';
import { Refusal, Unable } from './ends.ts';

/** A signal ends a command with 128 and its number, as shells have it: 130 is Ctrl-C. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const [FAILED, REFUSED, UNABLE] = [1, 2, 3];

/** What a command does. Resolves to its exit code.
 *  @param signal tells to end early */
export type Work = (args: readonly string[], signal: AbortSignal) => Promise<number>;

export interface CommandOptions {
  /** What a signal does. `exit`: the process ends at once, since nothing has to be put away. `abort`: the work is told,
   *  puts away what it began, and ends. */
  readonly onSignal: 'exit' | 'abort';
}

/** Runs a command to its end and sets the exit code: what the work resolves to; 1 a failure, 2 a refusal, 3 a machine
 *  that cannot, each with a sentence on standard error; 128 and its number after a signal, however the work ended then.
 *  @param command as a person types it
 *  @param load brings the work; after a signal it is not begun */
export async function runCommand(
  command: string,
  load: () => Promise<Work>,
  { onSignal }: CommandOptions,
): Promise<void> {
  const interruption = new AbortController();
  let interruptedBy: number | undefined;
  for (const [name, code] of Object.entries(SIGNAL_CODES))
    process.on(name, () => {
      if (onSignal === 'exit') process.exit(code);
      interruptedBy ??= code;
      interruption.abort();
    });
  // The reader of a pipe has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? 0 : FAILED),
  );
  try {
    const work = await load();
    if (!interruption.signal.aborted)
      process.exitCode = await work(process.argv.slice(2), interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) {
      process.stderr.write(`${command}: ${sentenceOf(error)}\n`);
      process.exitCode = codeOf(error);
    }
  }
  if (interruptedBy !== undefined) process.exitCode = interruptedBy;
}

function codeOf(error: unknown): number {
  if (error instanceof Refusal) return REFUSED;
  return error instanceof Unable ? UNABLE : FAILED;
}

/** A mistake in the program shows where it is. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isBug =
    error instanceof Failure
      ? error.kind === 'bug'
      : [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
  return isBug ? (error.stack ?? error.message) : error.message;
}
