import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openSync, type I2CBus } from 'i2c-bus';
import { REGISTER } from '../../../../agent/power/i2c/ina219.ts';

export const BUS = 1;
export const ADDRESS = 0x41;

const swap = (word: number) => ((word & 0xff) << 8) | (word >> 8);
const SIM = (() => {
  const read = (file: string) => readFileSync(`/sys/kernel/config/gpio-sim/rp1/${file}`, 'utf8').trim();
  return `/sys/devices/platform/${read('dev_name')}/${read('bank0/chip_name')}`;
})();

/** The other end of the chips: what the battery and the wires do to them. */
export function createOtherEnd() {
  // Opened for each use: a handle that stays open keeps i2c-stub from being taken away.
  const withBus = <T>(use: (bus: I2CBus) => T): T => {
    const bus = openSync(BUS);
    try {
      return use(bus);
    } finally {
      bus.closeSync();
    }
  };
  return {
    /** As the chip would have measured it: bus voltage in steps of 4 mV with "conversion ready" set, and a current in
     *  steps of 0.1524 mA, the data sheet's 0.04096 / (26868 × 0.01 ohm). */
    battery(volts: number, amps: number): void {
      const current = Math.round(amps / (0.04096 / (26_868 * 0.01)));
      withBus((bus) => {
        bus.writeWordSync(ADDRESS, REGISTER.bus, swap((Math.round(volts / 0.004) << 3) | 0b10));
        bus.writeWordSync(ADDRESS, REGISTER.current, swap(current & 0xffff));
      });
    },
    register: (register: number): number => withBus((bus) => swap(bus.readWordSync(ADDRESS, register))),
    setRegister: (register: number, word: number): void =>
      withBus((bus) => bus.writeWordSync(ADDRESS, register, swap(word))),
    /** What a line carries. */
    level: (line: number): number => Number(readFileSync(`${SIM}/sim_gpio${line}/value`, 'utf8')),
    /** What is done to a line from outside. */
    pull: (line: number, way: 'up' | 'down'): void =>
      writeFileSync(`${SIM}/sim_gpio${line}/pull`, `pull-${way}`),
  };
}
export type OtherEnd = ReturnType<typeof createOtherEnd>;

/** Resolves to true when the condition holds, to false when it does not in time. */
export async function within(ms: number, condition: () => boolean): Promise<boolean> {
  for (const deadline = performance.now() + ms; performance.now() < deadline; await delay(20))
    if (condition()) return true;
  return condition();
}
