import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from './kernel/log.ts';

/** Name of the file in the runtime folder that asks for it; `systemd/dachawatch-power-off.path` waits for it. */
export const POWER_OFF_FILE = 'power-off';

/** Asks for the machine to be powered off. The agent has no right to do it: a unit that runs as root waits for an
 *  empty file in the agent's runtime folder, and does nothing but that. Asking again changes nothing.
 *  @param runtimeDir absent when nobody started us who could power off */
export function requestPowerOff(runtimeDir: string | undefined, log: Log): void {
  if (!runtimeDir) {
    log.error(
      { event: 'power.nobody-to-ask' },
      'the machine should be powered off, but there is no runtime folder in which to ask for it',
    );
    return;
  }
  const file = join(runtimeDir, POWER_OFF_FILE);
  const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
  const fd = openSync(file, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
  fsyncSync(fd);
  closeSync(fd);
  log.warn({ event: 'power.off-requested', file }, 'systemd was asked to power off');
}
