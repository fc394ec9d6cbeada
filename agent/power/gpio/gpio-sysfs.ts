import { once } from 'node:events';
import { access, constants, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Direction, Edge, Options } from 'onoff';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { GpioLine, LineRequest, OpenLine } from './gpio.ts';

/** What is used of onoff's `Gpio`. It works in /sys/class/gpio, whatever it is told. */
export interface Onoff {
  readSync(): 0 | 1;
  writeSync(value: 0 | 1): void;
  watch(listener: (error: Error | null | undefined) => void): void;
  unwatchAll(): void;
  direction(): Direction;
  edge(): Edge;
  activeLow(): boolean;
  unexport(): void;
}
export type OnoffClass = new (gpio: number, direction: Direction, edge: Edge, options: Options) => Onoff;

export interface SysfsGpioDeps {
  readonly clock: Clock;
  /** Where the kernel shows its devices. */
  readonly sysfs?: string;
  /** onoff's class; absent: the package is loaded when the first line is opened. */
  readonly Gpio?: OnoffClass;
}

/** How long udev may take to hand over the files of a new line. It runs two programs for each, and has much to do while
 *  a machine starts. */
const HANDOVER_MS = 30_000;
const HANDOVER_POLL_MS = 50;

/** GPIO lines through /sys/class/gpio. A line that somebody has exported already, as an agent that was killed leaves
 *  it, is taken over. */
export function createSysfsGpio({ clock, sysfs = '/sys', Gpio }: SysfsGpioDeps): OpenLine {
  const folder = join(sysfs, 'class/gpio');

  async function handOver(number: number, signal: AbortSignal): Promise<void> {
    // onoff waits for the files of a new line in a loop that blocks the process, and overlooks what it cannot set.
    const files = ['value', 'direction', 'active_low'].map((file) => join(folder, `gpio${number}`, file));
    for (const deadline = clock.monotonicMs() + HANDOVER_MS; ; ) {
      try {
        for (const file of files) await access(file, constants.R_OK | constants.W_OK);
        return;
      } catch (error) {
        if (clock.monotonicMs() >= deadline) throw error;
        await clock.sleep(HANDOVER_POLL_MS, signal);
      }
    }
  }

  return async (request, signal) => {
    let exported: number | null = null;
    try {
      const number = await lineNumber(folder, request);
      if (!(await exists(join(folder, `gpio${number}`)))) {
        await writeFile(join(folder, 'export'), String(number));
        exported = number;
      }
      await handOver(number, signal);
      return take(number, request, Gpio ?? (await import('onoff')).Gpio);
    } catch (error) {
      // Best effort: what failed first says more, and a line that stays exported is found and used by the next try.
      if (exported !== null) await writeFile(join(folder, 'unexport'), String(exported)).catch(() => {});
      if (signal.aborted || error instanceof Failure) throw error;
      throw unusable(reason(error), error);
    }
  };
}

/** Number of the line among all lines of the machine. */
async function lineNumber(folder: string, { chipLabel, line }: LineRequest): Promise<number> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unusable(`there is no ${folder}: this kernel has no GPIO files`, error);
  });
  const labels: string[] = [];
  const bases: number[] = [];
  for (const name of names.filter((one) => /^gpiochip\d+$/.test(one))) {
    const label = await readText(folder, name, 'label');
    labels.push(label);
    if (label !== chipLabel) continue;
    const count = Number(await readText(folder, name, 'ngpio'));
    if (line >= count)
      throw unusable(`the GPIO chip "${chipLabel}" has ${count} lines, numbered from 0: none is ${line}`);
    bases.push(Number(await readText(folder, name, 'base')));
  }
  const [base, ...more] = bases;
  if (base === undefined) {
    const others = labels.length === 0 ? 'there is none at all' : `there are "${labels.join('", "')}"`;
    throw unusable(`no GPIO chip is labelled "${chipLabel}"; ${others}`);
  }
  if (more.length > 0) throw unusable(`${bases.length} GPIO chips are labelled "${chipLabel}"`);
  return base + line;
}

function take(number: number, { direction, activeLow }: LineRequest, Gpio: OnoffClass): GpioLine {
  // "high" and "low" are what the wire carries, even on a low-active line.
  const first = direction === 'in' ? 'in' : activeLow ? 'high' : 'low';
  const gpio = new Gpio(number, first, direction === 'in' ? 'both' : 'none', { activeLow });
  // onoff takes the line for exported by somebody else, and swallows what cannot be set.
  if (gpio.direction() !== direction || gpio.activeLow() !== activeLow) {
    gpio.unexport();
    throw unusable(
      `GPIO ${number} cannot be made an ${direction === 'in' ? 'input' : 'output'} as configured`,
    );
  }
  return {
    active: () => gpio.readSync() === 1,
    set: (active) => gpio.writeSync(active ? 1 : 0),
    async edge(signal) {
      if (signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      gpio.watch(() => resolve());
      try {
        await Promise.race([promise, once(signal, 'abort')]);
      } finally {
        // What is watched keeps the process alive.
        gpio.unwatchAll();
      }
    },
    close: () => gpio.unexport(),
  };
}

const readText = async (...path: string[]) => (await readFile(join(...path), 'utf8')).trim();
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

const unusable = (message: string, cause?: unknown) =>
  new Failure('rejected', 'gpio.unusable', message, cause === undefined ? {} : { cause });

function reason(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : ` (${path})`;
  if (code === 'EBUSY') return `another driver or program holds the line${where}`;
  if (code === 'EACCES' || code === 'EPERM')
    return `this user may not use it${where}; is the udev rule of firmware-config installed?`;
  if (code === 'EROFS') return `the service's sandbox shows it read-only${where}`;
  return message;
}
