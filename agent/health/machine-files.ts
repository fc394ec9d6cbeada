import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { throttlingBits, UNDER_VOLTAGE_NOW } from './throttling.ts';

/** What the kernel tells in files. Nothing here starts a process; a file that is not there, or holds nonsense, is a
 *  fact that this machine does not offer. */
export interface MachineFiles {
  /** Of the processor; undefined without a sensor. */
  cpuCelsius(): Promise<number | undefined>;
  /** Bits of get_throttled; undefined on a machine that is no Raspberry Pi. */
  throttling(): Promise<number | undefined>;
  /** Resident set of a process and of everything it started. Pages that they share count once for each. */
  treeBytes(pid: number): Promise<number | undefined>;
}

/** Sensors that read more are broken. */
const CELSIUS = { min: -40, max: 150 };
/** Processes looked at; a house has about 200. */
const MAX_PROCESSES = 4_096;

/** @param root `/`; another one in tests */
export function createMachineFiles(root: string): MachineFiles {
  // A file that cannot be read is a sensor or a process that is not there, and its figure is undefined.
  const text = (...path: string[]) => readFile(join(root, ...path), 'utf8').catch(() => undefined);
  const names = (...path: string[]) => readdir(join(root, ...path)).catch(() => [] as string[]);

  async function cpuCelsius(): Promise<number | undefined> {
    const thermal = ['sys', 'class', 'thermal'];
    for (const zone of await names(...thermal)) {
      const type = await text(...thermal, zone, 'type');
      if (!type || !/cpu|x86_pkg/.test(type)) continue;
      const celsius = Number((await text(...thermal, zone, 'temp'))?.trim() || Number.NaN) / 1_000;
      if (celsius >= CELSIUS.min && celsius <= CELSIUS.max) return Math.round(celsius * 10) / 10;
    }
    return undefined;
  }

  async function throttling(): Promise<number | undefined> {
    const found = [await firmwareBits(), await hwmonBits()].filter((bits) => bits !== undefined);
    return found.length === 0 ? undefined : found.reduce((all, bits) => all | bits, 0);
  }

  /** The firmware's own word. Deprecated by the kernel, which says so in its log once per start; the only file with
   *  more than the voltage. */
  async function firmwareBits(): Promise<number | undefined> {
    const platform = ['sys', 'devices', 'platform'];
    for (const soc of (await names(...platform)).filter((name) => name.startsWith('soc')))
      for (const device of (await names(...platform, soc)).filter((name) => name.endsWith(':firmware'))) {
        const bits = throttlingBits((await text(...platform, soc, device, 'get_throttled')) ?? '');
        if (bits !== undefined) return bits;
      }
    return undefined;
  }

  /** The successor, of driver raspberrypi-hwmon: the voltage only, and only now. */
  async function hwmonBits(): Promise<number | undefined> {
    const hwmon = ['sys', 'class', 'hwmon'];
    for (const chip of await names(...hwmon)) {
      if ((await text(...hwmon, chip, 'name'))?.trim() !== 'rpi_volt') continue;
      const alarm = (await text(...hwmon, chip, 'in0_lcrit_alarm'))?.trim();
      if (alarm === '0' || alarm === '1') return alarm === '1' ? UNDER_VOLTAGE_NOW : 0;
    }
    return undefined;
  }

  async function treeBytes(pid: number): Promise<number | undefined> {
    const processes = new Map<number, { readonly parent: number; readonly bytes: number }>();
    const pids = (await names('proc')).filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES);
    for (const one of pids) {
      const status = await text('proc', one, 'status');
      const parent = /^PPid:\s*(\d+)$/m.exec(status ?? '')?.[1];
      // A kernel thread has no resident set.
      const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(status ?? '')?.[1];
      if (parent && kilobytes)
        processes.set(Number(one), { parent: Number(parent), bytes: Number(kilobytes) * 1_024 });
    }
    if (!processes.has(pid)) return undefined;
    let total = 0;
    for (const [one, { bytes }] of processes) if (descends(one, pid, processes)) total += bytes;
    return total;
  }

  return { cpuCelsius, throttling, treeBytes };
}

/** The walk up is bounded: files read one after the other may show a circle that never was. */
function descends(
  pid: number,
  from: number,
  processes: ReadonlyMap<number, { readonly parent: number }>,
): boolean {
  let one: number | undefined = pid;
  for (let step = 0; step < 16 && one !== undefined; step++) {
    if (one === from) return true;
    one = processes.get(one)?.parent;
  }
  return false;
}
