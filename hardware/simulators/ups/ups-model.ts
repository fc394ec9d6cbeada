import { createBatteryModel } from './battery-model.ts';
import { createIna219Model } from './ina219-model.ts';
import { createDice } from './dice.ts';
import type { Faults, Scenario } from './scenario.ts';

/** Errno of a chip that does not answer, as the Pi's bus driver gives it. */
const EREMOTEIO = 121;
const STEP_MS = 250;
/** The computer's load goes up and down by this part all the time. */
const LOAD_RIPPLE = 0.05;
/** What a healthy sensor adds by itself. */
const OWN_NOISE_VOLTS = 0.002;
const OWN_NOISE_AMPS = 0.001;

/** How a transaction ended; `stuck`: it has not, and will not. */
export type Outcome = { readonly word: number } | { readonly errno: number } | 'stuck';

/** What is really so, whatever the sensor says. */
export interface Truth {
  readonly atS: number;
  readonly mains: boolean;
  readonly volts: number;
  readonly amps: number;
  readonly fill: number;
  readonly loadWatts: number;
  readonly isDead: boolean;
}

export interface UpsModel {
  /** Lets simulated time pass; the scenario's steps happen on the way. Never goes back. */
  advanceTo(ms: number): void;
  /** One SMBus transaction: a read, or a write when there is a word. */
  transact(address: number, register: number, word?: number): Outcome;
  truth(): Truth;
  /** What the mains-present wire says; null: there is none. */
  wire(): boolean | null;
  setMains(mains: boolean): void;
  setLoad(watts: number): void;
  /** Holds the terminals at this voltage, whatever the battery does; null lets go. */
  holdVolts(volts: number | null): void;
  setFaults(faults: Faults): void;
  brownOut(): void;
}

export interface UpsModelDeps {
  readonly scenario: Scenario;
  readonly address?: number;
  readonly shuntOhms?: number;
}

/** A UPS HAT: battery, charger and the INA219 between them, played by a scenario and by hand. */
export function createUpsModel({ scenario, address = 0x41, shuntOhms = 0.01 }: UpsModelDeps): UpsModel {
  const dice = createDice(scenario.seed);
  const battery = createBatteryModel(scenario.battery);
  let atMs = 0;
  let nextStep = 0;
  let mains = true;
  let loadWatts = 6;
  let celsius = 20;
  let faults: Faults = {};
  let held: number | null = null;
  const frozen = new Map<number, number>();

  const volts = () => held ?? battery.volts();
  const chip = createIna219Model(() => {
    const shuntAmps =
      battery.amps() + dice.normal() * (OWN_NOISE_AMPS + (faults.noiseAmps ?? 0)) + (faults.offsetAmps ?? 0);
    return {
      volts: volts() + dice.normal() * (OWN_NOISE_VOLTS + (faults.noiseVolts ?? 0)),
      shuntVolts: shuntAmps * shuntOhms,
    };
  });

  function setFaults(next: Faults): void {
    faults = next;
    chip.halt(next.halted === true);
    if (!next.frozen) frozen.clear();
  }

  function happen(step: Scenario['steps'][number]): void {
    mains = step.mains ?? mains;
    loadWatts = step.loadWatts ?? loadWatts;
    celsius = step.celsius ?? celsius;
    if (step.faults) setFaults(step.faults);
    if (step.brownOut) chip.reset(atMs);
  }

  function pass(ms: number): void {
    const ripple = 1 + LOAD_RIPPLE * (2 * dice.part() - 1);
    battery.step(ms, { mains, loadWatts: loadWatts * ripple, celsius });
    atMs += ms;
  }

  /** A word as it arrives: now and then with a bit turned over, or as a line that hangs reads. */
  function arriving(word: number): number {
    if (dice.part() >= (faults.wrong ?? 0)) return word;
    const kind = dice.part();
    if (kind < 0.25) return 0xffff;
    if (kind < 0.5) return 0;
    return kind < 0.75 ? word ^ (1 << Math.floor(dice.part() * 16)) : Math.floor(dice.part() * 0x10000);
  }

  return {
    advanceTo(ms) {
      while (atMs < ms) {
        const step = scenario.steps[nextStep];
        if (step && step.atS * 1_000 <= atMs) {
          nextStep += 1;
          happen(step);
        } else {
          pass(Math.min(STEP_MS, ms - atMs, step ? step.atS * 1_000 - atMs : STEP_MS));
        }
      }
    },
    transact(to, register, word) {
      if (faults.stuck) return 'stuck';
      if (to !== address || faults.absent || dice.part() < (faults.nak ?? 0)) return { errno: EREMOTEIO };
      if (word !== undefined) {
        if (!faults.frozen) chip.write(register, word, atMs);
        return { word };
      }
      const value = (faults.frozen ? frozen.get(register) : undefined) ?? chip.read(register, atMs);
      if (faults.frozen) frozen.set(register, value);
      return { word: arriving(value) };
    },
    truth: () => ({
      atS: atMs / 1_000,
      mains,
      volts: volts(),
      amps: battery.amps(),
      fill: battery.fill(),
      loadWatts,
      isDead: battery.isDead(),
    }),
    wire() {
      if (scenario.wire === 'none') return null;
      return scenario.wire === 'follows' ? mains : scenario.wire === 'stuck-present';
    },
    setMains(value) {
      mains = value;
    },
    setLoad(watts) {
      loadWatts = watts;
    },
    holdVolts(value) {
      held = value;
    },
    setFaults,
    brownOut: () => chip.reset(atMs),
  };
}
