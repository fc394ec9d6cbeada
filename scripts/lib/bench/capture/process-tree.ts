import { readdir, readFile } from 'node:fs/promises';

/** The kernel's unit of CPU time, USER_HZ. */
const TICKS_PER_S = 100;

export interface ProcessCost {
  readonly pid: number;
  readonly parent: number;
  readonly cpuS: number;
  readonly rssMb: number;
}

/** @returns undefined: it has just ended */
async function processOf(pid: number): Promise<ProcessCost | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    return {
      pid,
      parent: Number(fields[1]),
      cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S,
      rssMb: rssKb / 1024,
    };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** A process and all below it, user and system time each. A process that ended meanwhile is not there any more. */
export async function processTree(root: number): Promise<ProcessCost[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map(processOf))).filter((one) => one !== undefined);
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}
