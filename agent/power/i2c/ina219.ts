import { Failure } from '../../kernel/failure.ts';
import type { ChipDriver, UpsChip } from './chip.ts';
import { hex, type Smbus } from './smbus.ts';

/** Registers of the INA219 (Texas Instruments, SBOS448, "Register maps"). */
export const REGISTER = { configuration: 0, shunt: 1, bus: 2, power: 3, current: 4, calibration: 5 } as const;

/** Bits 2 to 0 of the configuration: shunt and bus, again and again. */
const MODE_CONTINUOUS = 0b111;
const CONVERSION_READY = 0b10;
const MATH_OVERFLOW = 0b01;
const BUS_LSB_VOLTS = 0.004;

export interface Ina219Settings {
  readonly address: number;
  readonly shuntOhms: number;
  readonly configuration: number;
  readonly calibration: number;
}

/** Two's complement of 16 bits. */
export const signed = (word: number): number => (word & 0x8000 ? word - 0x10000 : word);

/** Amperes of one step of the current register: 0.04096 / (calibration × shunt), the data sheet's equation 1 solved
 *  for the step. 0.1524 mA with the default of 26868 and 0.01 ohm. */
export const currentStep = ({ calibration, shuntOhms }: Ina219Settings): number =>
  0.04096 / (calibration * shuntOhms);

/** Volts of the bus register: bits 15 to 3 in steps of 4 mV, whatever the range. */
export const busVolts = (word: number): number => (word >> 3) * BUS_LSB_VOLTS;

/** @throws Failure `rejected` for a configuration with which the chip would not measure by itself */
export function checkSettings({ configuration }: Ina219Settings): void {
  if ((configuration & MODE_CONTINUOUS) !== MODE_CONTINUOUS)
    throw new Failure(
      'rejected',
      'power.configuration',
      `ups.configuration ${hex(configuration, 4)} does not measure shunt and bus continuously: its last three bits must be 1`,
    );
}

/** Overflow: the current is beyond the calibration, the chip's current register means nothing.
 *  Invariants
 *  1. A good reading was made after the one before it: reading the power register clears "conversion ready".
 *  2. A good reading was made with our calibration and configuration: both are read after the values, so that a reset
 *     in between is not taken for a current of zero.
 *  @throws Failure `rejected` for a configuration with which the chip would not measure by itself */
export function createIna219(smbus: Smbus, settings: Ina219Settings): UpsChip {
  const { address, configuration, calibration } = settings;
  checkSettings(settings);
  const step = currentStep(settings);
  let wasSetUp = false;

  const isSetUpNow = async () =>
    (await smbus.readWord(address, REGISTER.calibration)) === calibration &&
    (await smbus.readWord(address, REGISTER.configuration)) === configuration;

  async function setUp(): Promise<void> {
    await smbus.writeWord(address, REGISTER.configuration, configuration);
    await smbus.writeWord(address, REGISTER.calibration, calibration);
  }

  return {
    async read() {
      const bus = await smbus.readWord(address, REGISTER.bus);
      const current = await smbus.readWord(address, REGISTER.current);
      await smbus.readWord(address, REGISTER.power);
      // Asked twice: a word that arrives wrong is no reset.
      const isSetUp = (await isSetUpNow()) || (await isSetUpNow());
      const lost = wasSetUp && !isSetUp;
      if (!isSetUp) await setUp();
      wasSetUp = true;
      if (lost) return { kind: 'lost-calibration' };
      if (!isSetUp || !(bus & CONVERSION_READY)) return { kind: 'not-ready' };
      if (bus & MATH_OVERFLOW) return { kind: 'overflow' };
      return {
        kind: 'good',
        volts: busVolts(bus),
        amps: signed(current) * step,
        raw: `${bus >> 3}:${current}`,
      };
    },
  };
}

export const INA219: ChipDriver = { check: checkSettings, create: createIna219 };
