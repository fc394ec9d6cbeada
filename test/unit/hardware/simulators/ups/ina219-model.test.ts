import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIna219Model, type Pins } from '../../../../../hardware/simulators/ups/ina219-model.ts';

const READY = 2;
const OVERFLOW = 1;

/** The maker's settings, at 11.1 V and half an ampere out of the battery. */
function bench(pins: Pins = { volts: 11.1, shuntVolts: -0.005 }) {
  let now = pins;
  const chip = createIna219Model(() => now);
  chip.write(0, 0x0eef, 0);
  chip.write(5, 26_868, 0);
  const flags = (atMs: number) => chip.read(2, atMs) & 3;
  return { chip, flags, show: (next: Pins) => (now = next) };
}

test('it is as the data sheet says after power-on', () => {
  const chip = createIna219Model(() => ({ volts: 0, shuntVolts: 0 }));
  assert.deepEqual([chip.read(0, 0), chip.read(5, 0)], [0x399f, 0]);
});

test('the first conversion takes 34 ms at 32 samples a channel, and reading the power clears the flag until the next', () => {
  const { chip, flags } = bench();
  assert.equal(flags(34), 0);
  assert.equal(flags(34.1), READY);
  assert.equal(flags(34.2), READY);
  chip.read(3, 34.3);
  assert.equal(flags(35), 0);
  assert.equal(flags(68.2), READY);
});

test('volts in steps of 4 mV, shunt in 10 µV, current is shunt × calibration / 4096 cut off, power from both', () => {
  const { chip } = bench();
  assert.equal(chip.read(2, 100) >> 3, 2_775);
  assert.equal(chip.read(1, 100), 0x10000 - 500);
  // 500 × 26868 / 4096 = 3279.78…
  assert.equal(chip.read(4, 100), 0x10000 - 3_279);
  assert.equal(chip.read(3, 100), Math.trunc((3_279 * 2_775) / 5_000));
});

test('a current beyond the calibration sets the overflow flag, and goes when the current goes', () => {
  const { flags, show } = bench({ volts: 11.1, shuntVolts: -0.06 });
  assert.equal(flags(100), READY | OVERFLOW);
  show({ volts: 11.1, shuntVolts: 0.001 });
  assert.equal(flags(200), READY);
});

test('the ranges cut off: 16 V, and the shunt at 80 mV', () => {
  const { chip } = bench({ volts: 26, shuntVolts: 0.2 });
  assert.equal((chip.read(2, 100) >> 3) * 0.004, 16);
  assert.equal(chip.read(1, 100), 8_000);
});

test('a brown-out or the reset bit loses the calibration, and with it the current', () => {
  const { chip } = bench();
  chip.reset(100);
  assert.deepEqual([chip.read(0, 300), chip.read(5, 300), chip.read(4, 300)], [0x399f, 0, 0]);
  chip.write(5, 26_869, 300);
  assert.equal(chip.read(5, 300), 26_868, 'its last bit is not stored');
  chip.write(0, 0x8000, 400);
  assert.equal(chip.read(5, 400), 0);
});

test('a converter that stands still keeps its words, and never says ready again', () => {
  const { chip, flags, show } = bench();
  chip.read(3, 100);
  chip.halt(true);
  show({ volts: 9, shuntVolts: 0 });
  assert.equal(flags(5_000), 0);
  assert.equal(chip.read(2, 5_000) >> 3, 2_775);
});
