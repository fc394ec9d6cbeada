import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Gives the lines of a child's standard output one by one, and goes on reading what nobody asks for.
 *  The promise rejects when the child ends first or stays silent for `withinMs`; without it, it waits for good. */
export function lineReader(child: ChildProcess): (withinMs?: number) => Promise<string> {
  const lines: string[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  if (child.stdout === null) throw new Error('The standard output of the child is not a pipe.');
  const input = createInterface({ input: child.stdout });
  input.on('line', (line) => {
    lines.push(line);
    wake();
  });
  child.once('exit', () => {
    ended = true;
    wake();
  });
  return async (withinMs) => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return line;
      if (ended) throw new Error(`${child.spawnargs.join(' ')} ended with code ${child.exitCode}.`);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      wake = resolve;
      if (withinMs === undefined) {
        await promise;
        continue;
      }
      const silent = new Error(`${child.spawnfile} said nothing for ${withinMs / 1000} s.`);
      const timer = setTimeout(() => reject(silent), withinMs);
      await promise.finally(() => clearTimeout(timer));
    }
  };
}
