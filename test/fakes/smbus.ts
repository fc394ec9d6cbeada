import { describeI2cError, smbusFailure, type Smbus } from '../../agent/power/i2c/smbus.ts';

export interface FakeSmbus extends Smbus {
  /** A word of the chip, behind the bus's back. */
  put(register: number, word: number): void;
  get(register: number): number;
  /** Registers in the order they were read and written: `r2`, `w5`. */
  readonly log: string[];
  /** Another port to the same chip. */
  reopened(): FakeSmbus;
}

/** One chip with 256 registers in memory, on bus 1. It has no behaviour, like i2c-stub. */
export function createFakeSmbus(
  address: number,
  words = new Map<number, number>(),
  log: string[] = [],
): FakeSmbus {
  let isClosed = false;
  function check(to: number): void {
    if (isClosed) throw smbusFailure('smbus.closed', 'I2C bus 1 was closed');
    if (to !== address) throw describeI2cError({ errno: 121 }, { bus: 1, address: to, buses: [] });
  }
  return {
    log,
    reopened: () => createFakeSmbus(address, words, log),
    put: (register, word) => void words.set(register, word),
    get: (register) => words.get(register) ?? 0,
    async readWord(to, register) {
      check(to);
      log.push(`r${register}`);
      return words.get(register) ?? 0;
    },
    async writeWord(to, register, word) {
      check(to);
      log.push(`w${register}`);
      words.set(register, word);
    },
    async close() {
      isClosed = true;
    },
  };
}
