import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** No clock of a machine that runs this program can be right and earlier: it was written after this. */
const EARLIEST_MS = Date.UTC(2026, 10, 1);

/** Whether the wall clock can be trusted. A Pi without a battery boots with the time of its last stop, and
 *  systemd-timesyncd, which sets it there, says so by a file once it has. Where something else keeps the time (a
 *  host, chrony), only a clock that cannot be right is doubted.
 *  @param runDir `/run`, another one in tests */
export function clockQuality(nowMs: number, runDir = '/run'): 'synchronised' | 'unsynchronised' {
  const timesync = join(runDir, 'systemd/timesync');
  if (nowMs < EARLIEST_MS) return 'unsynchronised';
  return existsSync(timesync) && !existsSync(join(timesync, 'synchronized'))
    ? 'unsynchronised'
    : 'synchronised';
}
