import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  busVolts,
  createIna219,
  currentStep,
  REGISTER,
  signed,
} from '../../../../../agent/power/i2c/ina219.ts';
import { createFakeSmbus } from '../../../../fakes/smbus.ts';

const SETTINGS = { address: 0x41, shuntOhms: 0.01, configuration: 0x0eef, calibration: 26_868 };

/** A chip that is set up, and has just measured. */
function bench(settings = SETTINGS) {
  const smbus = createFakeSmbus(0x41);
  smbus.put(REGISTER.configuration, settings.configuration);
  smbus.put(REGISTER.calibration, settings.calibration);
  const measured = (volts: number, current: number, flags = 2) => {
    smbus.put(REGISTER.bus, (Math.round(volts / 0.004) << 3) | flags);
    smbus.put(REGISTER.current, current & 0xffff);
  };
  return { smbus, measured, chip: createIna219(smbus, settings) };
}

test('the step of the current is that of the maker: 0.1524 mA with 26868 and 0.01 ohm, 0.1 mA with 4096 and 0.1', () => {
  assert.equal((currentStep(SETTINGS) * 1_000).toFixed(4), '0.1524');
  assert.equal(
    (currentStep({ ...SETTINGS, shuntOhms: 0.1, calibration: 4_096 }) * 1_000).toFixed(4),
    '0.1000',
  );
});

test('words are two’s complement: 0xFFFF is -1, not 0', () => {
  assert.deepEqual([0x7fff, 0x8000, 0xffff, 0].map(signed), [32_767, -32_768, -1, 0]);
});

test('the bus register counts 4 mV above its three flags', () => {
  assert.equal(busVolts(0x56da).toFixed(3), '11.116');
});

test('a good reading has volts, and amperes with their sign', async () => {
  const { chip, measured } = bench();
  measured(11.1, -3_280);
  const reading = await chip.read();
  assert.equal(reading.kind, 'good');
  if (reading.kind !== 'good') return;
  assert.equal(reading.volts.toFixed(3), '11.100');
  assert.equal(reading.amps.toFixed(3), '-0.500');
});

test('a chip that was never set up is set up, and its first reading waits', async () => {
  const { chip, smbus, measured } = bench();
  smbus.put(REGISTER.configuration, 0x399f);
  smbus.put(REGISTER.calibration, 0);
  measured(11.1, 0);
  assert.equal((await chip.read()).kind, 'not-ready');
  assert.equal(smbus.get(REGISTER.configuration), 0x0eef);
  assert.equal(smbus.get(REGISTER.calibration), 26_868);
  assert.equal((await chip.read()).kind, 'good');
});

test('a reset in between is no current of zero: the calibration is read after the values', async () => {
  const { chip, smbus, measured } = bench();
  measured(11.1, -3_280);
  await chip.read();
  smbus.put(REGISTER.calibration, 0);
  smbus.put(REGISTER.current, 0);
  assert.equal((await chip.read()).kind, 'lost-calibration');
  assert.equal(smbus.get(REGISTER.calibration), 26_868);
  const order = smbus.log.slice(0, 5);
  assert.deepEqual(order, ['r2', 'r4', 'r3', 'r5', 'r0']);
});

test('one word of the calibration that arrives wrong is asked for again, and nothing is written', async () => {
  const { smbus, measured } = bench();
  let spoilt = 1;
  const noisy = {
    ...smbus,
    readWord: async (address: number, register: number) => {
      const word = await smbus.readWord(address, register);
      return register === REGISTER.calibration && spoilt-- > 0 ? word ^ 0x10 : word;
    },
  };
  measured(11.1, 100);
  assert.equal((await createIna219(noisy, SETTINGS).read()).kind, 'good');
  assert.ok(!smbus.log.some((entry) => entry.startsWith('w')));
});

test('without a new conversion there is no reading; an overflow is none either', async () => {
  const { chip, measured } = bench();
  measured(11.1, 100, 0);
  assert.equal((await chip.read()).kind, 'not-ready');
  measured(11.1, 100, 3);
  assert.equal((await chip.read()).kind, 'overflow');
});

test('a configuration that does not measure by itself is refused in one sentence', () => {
  assert.throws(
    () => createIna219(createFakeSmbus(0x41), { ...SETTINGS, configuration: 0x0eeb }),
    /0x0EEB does not measure shunt and bus continuously/,
  );
});
