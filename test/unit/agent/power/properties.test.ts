import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDice, type Dice } from '../../../../hardware/simulators/ups/dice.ts';
import { rehearse } from '../../../../hardware/simulators/ups/rehearsal.ts';
import { checkScenario } from '../../../../hardware/simulators/ups/scenario.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';

const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1);
const CUT_OFF_VOLTS = 9;

const between = (dice: Dice, least: number, most: number) => least + (most - least) * dice.part();
const maybe = (dice: Dice, chance: number) => dice.part() < chance;

/** Anything that a bus and a chip can do wrong, up to a fifth of all words. */
const faultsOf = (dice: Dice, most = 0.2) => ({
  nak: between(dice, 0, most),
  wrong: between(dice, 0, most),
  noiseVolts: between(dice, 0, 0.15),
  noiseAmps: between(dice, 0, 0.2),
});
/** Besides, for a sensor that need not be trusted. */
const brokenOf = (dice: Dice) => ({
  ...faultsOf(dice, 0.7),
  offsetAmps: maybe(dice, 0.3) ? between(dice, -12, 12) : 0,
  absent: maybe(dice, 0.2),
  stuck: maybe(dice, 0.2),
  halted: maybe(dice, 0.2),
  frozen: maybe(dice, 0.3),
});

const play = (seed: number, value: object) =>
  rehearse({
    scenario: checkScenario({ title: `seed ${seed}`, seed, endsInPowerOff: false, ...value }),
    clock: createFakeClock(),
    log: createLogBook().log,
  });

test('whatever the sensor of a healthy battery does, on mains or on battery, the machine stays on', async () => {
  for (const seed of SEEDS) {
    const dice = createDice(seed);
    const steps: object[] = [{ atS: 0, mains: maybe(dice, 0.5), loadWatts: between(dice, 3, 12) }];
    for (let atS = 30; atS < 1_500; atS += between(dice, 5, 200))
      steps.push({
        atS,
        ...(maybe(dice, 0.2) ? { mains: maybe(dice, 0.5) } : {}),
        ...(maybe(dice, 0.2) ? { loadWatts: between(dice, 3, 12) } : {}),
        ...(maybe(dice, 0.2) ? { brownOut: true } : {}),
        faults: maybe(dice, 0.3) ? brokenOf(dice) : faultsOf(dice),
      });
    const battery = { fill: between(dice, 0.6, 1), capacityMilliampHours: between(dice, 2_400, 5_000) };
    const { deeds, moments } = await play(seed, { durationS: 1_500, battery, steps });
    const lowest = Math.min(...moments.map(({ volts }) => volts));
    assert.ok(lowest > 10.3, `seed ${seed}: the world of this test is not healthy, ${lowest} V`);
    assert.deepEqual(deeds, [], `seed ${seed}`);
  }
});

test('a battery that really ends switches the machine off once, in good order and in time, through noise and NAKs', async () => {
  for (const seed of SEEDS) {
    const dice = createDice(seed + 1_000);
    const capacityMilliampHours = between(dice, 500, 3_000);
    const scenario = {
      durationS: 40_000,
      battery: { fill: between(dice, 0.1, 0.2), capacityMilliampHours, ohms: between(dice, 0.15, 0.3) },
      steps: [
        {
          atS: 0,
          mains: true,
          loadWatts: between(dice, 4, 9),
          celsius: between(dice, -5, 30),
          faults: faultsOf(dice, 0.08),
        },
        { atS: between(dice, 0, 300), mains: false },
      ],
    };
    const { deeds, moments } = await play(seed, scenario);
    assert.deepEqual(
      deeds.map(({ deed }) => deed),
      ['seal', 'tell', 'powerOff'],
      `seed ${seed}`,
    );
    const volts = deeds.at(-1)?.truth.volts ?? 0;
    assert.ok(volts > CUT_OFF_VOLTS, `seed ${seed}: ${volts} V`);
    assert.ok(!moments.at(-1)?.isDead);
  }
});
