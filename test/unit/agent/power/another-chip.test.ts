import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';
import type { ChipDriver } from '../../../../agent/power/i2c/chip.ts';
import { createPower } from '../../../../agent/power/power.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';
import { createFakeSmbus } from '../../../fakes/smbus.ts';

/** A chip that nobody makes: millivolts in register 9, milliamperes plus 10000 in register 10, a counter in 11. */
const FUEL_GAUGE: ChipDriver = {
  check({ shuntOhms }) {
    if (shuntOhms > 0.5) throw new Failure('rejected', 'power.shunt', 'ups.shuntOhms is too much for it');
  },
  create: (smbus, { address }) => ({
    async read() {
      const [millivolts, milliamps, count] = [
        await smbus.readWord(address, 9),
        await smbus.readWord(address, 10),
        await smbus.readWord(address, 11),
      ];
      if (count === 0) return { kind: 'not-ready' };
      return {
        kind: 'good',
        volts: millivolts / 1_000,
        amps: (milliamps - 10_000) / 1_000,
        raw: `${millivolts}:${milliamps}:${count}`,
      };
    },
  }),
};
const TWO_CELLS = { range: { least: 4, most: 8.8 }, emptyVolts: 6, fullVolts: 8.4 };

function bench(t: TestContext, ups: object = {}) {
  const clock = createFakeClock();
  const chip = createFakeSmbus(0x41);
  const deeds: string[] = [];
  const config = parseWithDefaults(PowerConfig, {
    ups: { model: 'waveshare-ups-module-3s', ...ups },
    thresholds: { lowVolts: 6.8, criticalVolts: 6.4 },
  });
  const power = createPower({
    config,
    // The configuration's one model, with other hardware behind its name.
    models: { 'waveshare-ups-module-3s': { chip: FUEL_GAUGE, battery: TWO_CELLS } },
    actions: {
      seal: async () => void deeds.push('seal'),
      tell: async () => void deeds.push('tell'),
      powerOff: () => void deeds.push('powerOff'),
      resume: () => void deeds.push('resume'),
    },
    onChange: () => undefined,
    clock,
    log: createLogBook().log,
    random: () => 0.5,
    openSmbus: async () => chip,
  });
  t.after(() => power.stop());
  /** So many seconds with this in the registers. */
  async function show(volts: number, amps: number, seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      chip.put(9, Math.round(volts * 1_000));
      chip.put(10, Math.round(amps * 1_000) + 10_000 + (i % 2));
      chip.put(11, i + 1);
      await clock.advance(1_000);
    }
  }
  return { power, show, deeds };
}

test('a UPS with another chip and another battery reports, runs low and switches off like the first', async (t) => {
  const { power, show, deeds } = bench(t);
  await power.start();
  await show(8.4, 0.2, 30);
  const { state, percent, volts } = power.status();
  assert.deepEqual({ state, percent, volts }, { state: 'on-mains', percent: 100, volts: 8.4 });
  await show(7.6, -1, 120);
  assert.equal(power.status().state, 'on-battery');
  assert.equal(power.status().percent, 67);
  await show(6.9, -1, 60);
  await show(6.3, -1, 120);
  assert.deepEqual(deeds, ['seal', 'tell', 'powerOff']);
});

test('settings that the other chip cannot work with are refused by its driver, before the bus is touched', (t) => {
  assert.throws(() => bench(t, { shuntOhms: 0.9 }), { code: 'power.shunt', kind: 'rejected' });
});
