/** What is at the chip's pins. */
export interface Pins {
  readonly volts: number;
  /** Across the shunt; positive: into the battery. */
  readonly shuntVolts: number;
}

/** An INA219 as a bus sees it (Texas Instruments SBOS448): registers, conversion time, arithmetic.
 *  All times are milliseconds of the simulation. */
export interface Ina219Model {
  /** A word as the chip sends it. Reading the power register clears "conversion ready". */
  read(register: number, atMs: number): number;
  write(register: number, word: number, atMs: number): void;
  /** Brown-out or reset bit: configuration 0x399F, no calibration. */
  reset(atMs: number): void;
  /** A converter that stopped: registers keep what they hold, "conversion ready" does not come back. */
  halt(halted: boolean): void;
}

const RESET_CONFIGURATION = 0x399f;
const STORED_CONFIGURATION = 0x3fff;
/** Microseconds of one conversion by the ADC bits of the configuration; bit 2 means nothing below 8. */
const CONVERSION_US = [
  84, 148, 276, 532, 84, 148, 276, 532, 532, 1060, 2130, 4260, 8510, 17_020, 34_050, 68_100,
];

/** @param pins asked at the end of each conversion that somebody can see the result of */
export function createIna219Model(pins: () => Pins): Ina219Model {
  let configuration = RESET_CONFIGURATION;
  let calibration = 0;
  let shunt = 0;
  let bus = 0;
  let startedMs = 0;
  let conversions = 0;
  let isReady = false;
  let isHalted = false;

  const cycleMs = () => {
    const us = (bits: number) => CONVERSION_US[bits & 15] ?? 0;
    return (us(configuration >> 3) + us(configuration >> 7)) / 1_000;
  };
  const restart = (atMs: number) => {
    startedMs = atMs;
    conversions = 0;
    isReady = false;
  };
  const current = () => Math.trunc((shunt * calibration) / 4096);
  const power = () => Math.trunc((Math.abs(current()) * bus) / 5000);
  const overflows = () => current() > 32_767 || current() < -32_768 || power() > 65_535;

  /** Does the conversions that have ended by now. Only the last can be seen. */
  function convert(atMs: number): void {
    const isContinuous = (configuration & 7) === 7;
    if (isHalted || !isContinuous) return;
    const ended = Math.floor((atMs - startedMs) / cycleMs());
    if (ended <= conversions) return;
    conversions = ended;
    const { volts, shuntVolts } = pins();
    const shuntMost = 4_000 << ((configuration >> 11) & 3);
    const busMost = configuration & 0x2000 ? 8_000 : 4_000;
    shunt = clamp(Math.round(shuntVolts / 10e-6), -shuntMost, shuntMost);
    bus = clamp(Math.round(volts / 0.004), 0, busMost);
    isReady = true;
  }

  function reset(atMs: number): void {
    configuration = RESET_CONFIGURATION;
    calibration = 0;
    shunt = 0;
    bus = 0;
    restart(atMs);
  }

  return {
    reset,
    halt(halted) {
      isHalted = halted;
    },
    read(register, atMs) {
      convert(atMs);
      switch (register) {
        case 0:
          return configuration;
        case 1:
          return shunt & 0xffff;
        case 2:
          return (bus << 3) | (isReady ? 2 : 0) | (overflows() ? 1 : 0);
        case 3:
          isReady = false;
          return power() & 0xffff;
        case 4:
          return current() & 0xffff;
        case 5:
          return calibration;
        default:
          return 0xffff;
      }
    },
    write(register, word, atMs) {
      convert(atMs);
      if (register === 5) calibration = word & 0xfffe;
      if (register !== 0) return;
      if (word & 0x8000) return reset(atMs);
      configuration = word & STORED_CONFIGURATION;
      restart(atMs);
    },
  };
}

const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));
