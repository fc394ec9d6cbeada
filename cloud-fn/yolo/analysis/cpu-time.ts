import { readFileSync } from 'node:fs';

/** Kernel clock ticks a second as `/proc` shows them on every Linux Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** CPU milliseconds, user and system, of this process and of the children it has waited for (ffmpeg, ffprobe).
 *  Where there is no `/proc`, of this process alone. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + childrenMs();
}

function childrenMs(): number {
  let line: string;
  try {
    line = readFileSync('/proc/self/stat', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  // The name in parentheses may hold spaces: count from behind it. Fields 16 and 17 are cutime and cstime.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / TICKS_PER_SECOND;
}
