import { parseArgs, type ParseArgsConfig } from 'node:util';
import { writeLogLine } from '@dachawatch/contracts/standard-error';

/** One JSON object a line on standard error: where every log line of a local service goes. */
export const logLine = (entry: Readonly<Record<string, unknown>>): void => {
  writeLogLine(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
};

/** The flags of a service's `main.ts`. `--help` prints `usage` and exits 0; a bad flag exits 2 with one sentence. */
export function flagsOf<O extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: O) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } }, strict: true });
    if ((values as { help?: boolean }).help === true) {
      process.stdout.write(`${usage}\n`);
      process.exit(0);
    }
    return values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** One sentence on standard error, then exit 2: the caller asked for something that cannot be. */
export function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

/** A flag's port number; undefined when the flag was not given. */
export function portOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  return Number.isInteger(port) && port >= 0 && port <= 65_535
    ? port
    : refuse(`${flag} takes a port number from 0 to 65535, not "${text}".`);
}

/** Runs a service until SIGTERM, SIGINT or the end of its parent, so that nothing outlives a killed parent.
 *  Prints the ready line once `start` has resolved; exit code 0 after a clean stop, 1 when start or stop fails. */
export async function serveUntilTold(
  start: () => Promise<{ readonly ready: object; stop(): Promise<void> }>,
): Promise<void> {
  const told = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
    process.once('disconnect', () => resolve('parent is gone'));
  });
  try {
    const service = await start();
    const ready = { ready: true, ...service.ready };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    process.send?.(ready);
    logLine({ event: 'service.stopping', because: await told });
    await service.stop();
    process.exit(0);
  } catch (error) {
    logLine({ event: 'service.failed', message: (error as Error).message, stack: (error as Error).stack });
    process.exit(1);
  }
}
