import { readdir, readFile } from 'node:fs/promises';
import { Failure } from '../../kernel/failure.ts';

/** SMBus words, as the INA219 understands them: the chip sends its high byte first, SMBus means the low byte first,
 *  and adapters swap, so that `word` here is always the number in the chip's data sheet.
 *
 *  The calls are promises because the kernel's are not bounded by us: a chip that holds the clock low keeps an ioctl
 *  for the adapter's time-out, a second or more, and a synchronous call would stop the whole agent for as long.
 *  Invariants
 *  1. Transactions of one port run one after another; a hung one delays only those of its port.
 *  2. `close` resolves when no transaction is under way any more; calls after it are refused.
 *  Errors are a `Failure` whose code says what is missing; see `SMBUS_CODES`. */
export interface Smbus {
  readWord(address: number, register: number): Promise<number>;
  writeWord(address: number, register: number, word: number): Promise<void>;
  close(): Promise<void>;
}

export type OpenSmbus = () => Promise<Smbus>;

/** no-bus: the bus itself is missing · no-access: it is there, and not for us · no-addon: i2c-bus is not built for
 *  this Node · in-use: a kernel driver has the chip · no-chip: the bus works, nobody answers · failed: this
 *  transaction went wrong · closed: we closed it, or the other side did. */
export const SMBUS_CODES = [
  'smbus.no-bus',
  'smbus.no-access',
  'smbus.no-addon',
  'smbus.in-use',
  'smbus.no-chip',
  'smbus.failed',
  'smbus.closed',
] as const;
export type SmbusCode = (typeof SMBUS_CODES)[number];

export const smbusFailure = (code: SmbusCode, sentence: string, cause?: unknown): Failure =>
  new Failure('transient', code, sentence, { cause });

export const hex = (value: number, digits: number): string =>
  `0x${value.toString(16).toUpperCase().padStart(digits, '0')}`;

/** Numbers of Linux, because Node has no name for EREMOTEIO and gives such an error an empty code. A chip that does
 *  not answer is EREMOTEIO (121) on the Pi's own buses, ENXIO (6) on others, ENODEV (19) from i2c-stub. */
const BY_ERRNO: Readonly<Record<number, SmbusCode>> = {
  1: 'smbus.no-access',
  2: 'smbus.no-bus',
  6: 'smbus.no-chip',
  13: 'smbus.no-access',
  16: 'smbus.in-use',
  19: 'smbus.no-chip',
  121: 'smbus.no-chip',
};

/** An error of i2c-bus, or of opening the device file, as one sentence.
 *  @param buses what this machine has, for the sentence: `1 (Synopsys DesignWare I2C adapter)` */
export function describeI2cError(
  error: unknown,
  { bus, address, buses }: { bus: number; address: number; buses: readonly string[] },
): Failure {
  const { errno = 0, code: name, message } = error as NodeJS.ErrnoException;
  const number = Math.abs(errno);
  const opening = (error as NodeJS.ErrnoException).syscall === 'open';
  // The device file of a bus whose driver is gone opens with ENXIO or ENODEV.
  const code = opening && (number === 6 || number === 19) ? 'smbus.no-bus' : BY_ERRNO[number];
  const file = `/dev/i2c-${bus}`;
  const chip = `the chip at ${hex(address, 2)} on I2C bus ${bus}`;
  const others = buses.length > 0 ? `this machine has ${buses.join(', ')}` : 'this machine has none';
  const why = name || (number > 0 ? `errno ${number}` : message);
  const sentences: Partial<Record<SmbusCode, string>> = {
    'smbus.no-bus': `there is no I2C bus ${bus} (${file}): ${others}`,
    'smbus.no-access': `the I2C bus ${bus} may not be used: ${file} needs the group i2c`,
    'smbus.in-use': `${chip} is in the hands of a kernel driver`,
    'smbus.no-chip': `no chip answers at ${hex(address, 2)} on I2C bus ${bus}`,
  };
  const sentence = code && sentences[code];
  return code && sentence
    ? smbusFailure(code, sentence, error)
    : smbusFailure('smbus.failed', `${chip} could not be talked to: ${why}`, error);
}

/** Buses of this machine. Kernels from 7 on have no /sys/class/i2c-adapter any more. */
async function listBuses(dir = '/sys/bus/i2c/devices'): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  const buses = names.filter((name) => /^i2c-\d+$/.test(name)).toSorted();
  return Promise.all(
    buses.map(async (name) => {
      const label = await readFile(`${dir}/${name}/name`, 'utf8').catch(() => 'unnamed');
      return `${name.slice(4)} (${label.trim()})`;
    }),
  );
}

const swap = (word: number) => ((word & 0xff) << 8) | (word >> 8);

/** A bus of this machine through i2c-bus, with SMBus words only: i2c-stub knows nothing else.
 *  @throws Failure `smbus.no-addon`; a missing bus shows with the first transaction, when the file is opened */
export async function openI2cSmbus(bus: number): Promise<Smbus> {
  const i2c = await import('i2c-bus').catch((error: unknown) => {
    throw smbusFailure('smbus.no-addon', 'the addon i2c-bus is not built for this Node', error);
  });
  const port = await i2c.openPromisified(bus);
  let closed: Promise<void> | undefined;
  // One at a time: two first calls at once would open the device file twice, and lose one.
  let last: Promise<unknown> = Promise.resolve();
  function next<T>(address: number, transaction: () => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(smbusFailure('smbus.closed', `I2C bus ${bus} was closed`));
    const result = last.then(transaction).catch(async (error: unknown) => {
      throw describeI2cError(error, { bus, address, buses: await listBuses() });
    });
    // The caller gets the error; the next transaction only waits for its turn.
    last = result.catch(() => undefined);
    return result;
  }
  return {
    readWord: (address, register) => next(address, async () => swap(await port.readWord(address, register))),
    writeWord: (address, register, word) =>
      next(address, () => port.writeWord(address, register, swap(word))),
    close: () => (closed ??= last.then(() => port.close())),
  };
}
