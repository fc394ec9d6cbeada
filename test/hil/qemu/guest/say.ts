import { writeSync } from 'node:fs';
import type { Log } from '../../../../agent/kernel/log.ts';

/** One observation for the tests outside the guest, as a line on the console. Begins a new line, since the kernel may
 *  have written half of one. */
export function say(fact: string, fields: object = {}): void {
  writeSync(1, `\n@hil ${JSON.stringify({ fact, ...fields })}\n`);
}

/** A log whose warnings are observations. */
export const sayingLog: Log = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => say('warning', { ...fields, message }),
  error: (fields, message) => say('error', { ...fields, message }),
  child: () => sayingLog,
};

/** What went wrong, as the agent would see it. */
export const asFields = (error: unknown): object => {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  return { code, errno, message };
};
