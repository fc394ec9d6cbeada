/** Three lithium-ion cells in series with a load and a charger.
 *  The curve has the shape that data sheets of 18650 cells show: a plateau, a bend near 10 %, a knee. It is no
 *  measurement of one pack. */
const CELLS = 3;
/** Volts of a resting cell by what is left in it. */
const CURVE: readonly (readonly [fill: number, volts: number])[] = [
  [0, 2.7],
  [0.02, 3.0],
  [0.05, 3.25],
  [0.1, 3.42],
  [0.2, 3.55],
  [0.3, 3.62],
  [0.4, 3.68],
  [0.5, 3.75],
  [0.6, 3.84],
  [0.7, 3.93],
  [0.8, 4.02],
  [0.9, 4.1],
  [1, 4.19],
];
/** From the pack to the 5 V of the computer. */
const CONVERTER_EFFICIENCY = 0.9;
const CHARGE_VOLTS = 12.6;
const CHARGE_AMPS = 1;
const CHARGE_ENDS_AMPS = 0.08;
const CHARGE_AGAIN_VOLTS = 12.2;
/** Below this the pack's own protection opens: everything is dark. */
export const PROTECTION_VOLTS = 7.5;
const WARM_CELSIUS = 20;
/** More internal resistance for each degree below 20 °C. */
const COLD_FACTOR = 0.04;

export interface BatteryOptions {
  readonly capacityMilliampHours: number;
  /** What is left at the start, 0 to 1. */
  readonly fill: number;
  /** Of the pack at 20 °C, wires included. */
  readonly ohms: number;
}

export interface Surroundings {
  readonly mains: boolean;
  readonly loadWatts: number;
  readonly celsius: number;
}

export interface BatteryModel {
  /** Lets time pass. */
  step(ms: number, surroundings: Surroundings): void;
  /** At the terminals, under load. 0 after the protection opened. */
  volts(): number;
  /** Positive: it is being charged. */
  amps(): number;
  fill(): number;
  isDead(): boolean;
}

export function createBatteryModel({
  capacityMilliampHours,
  fill: initial,
  ohms,
}: BatteryOptions): BatteryModel {
  const capacity = (capacityMilliampHours / 1_000) * 3_600_000;
  let fill = initial;
  let volts = CELLS * cellVolts(fill);
  let amps = 0;
  let isCharging = true;
  let isDead = false;

  return {
    volts: () => (isDead ? 0 : volts),
    amps: () => (isDead ? 0 : amps),
    fill: () => fill,
    isDead: () => isDead,
    step(ms, { mains, loadWatts, celsius }) {
      const rest = CELLS * cellVolts(fill);
      const resistance = ohms * (1 + Math.max(0, WARM_CELSIUS - celsius) * COLD_FACTOR);
      if (mains) {
        isDead = false;
        const wanted = Math.min(CHARGE_AMPS, (CHARGE_VOLTS - rest) / resistance);
        if (wanted < CHARGE_ENDS_AMPS) isCharging = false;
        if (rest < CHARGE_AGAIN_VOLTS) isCharging = true;
        amps = isCharging ? wanted : 0;
      } else {
        isCharging = true;
        // V = rest - I·R and V·I = P, solved for I; what the pack cannot give ends it.
        const watts = loadWatts / CONVERTER_EFFICIENCY;
        const root = rest * rest - 4 * resistance * watts;
        amps = root < 0 ? -rest / (2 * resistance) : -(rest - Math.sqrt(root)) / (2 * resistance);
      }
      volts = rest + amps * resistance;
      fill = Math.min(1, Math.max(0, fill + (amps * ms) / capacity));
      if (!mains && volts < PROTECTION_VOLTS) isDead = true;
    },
  };
}

function cellVolts(fill: number): number {
  const above = CURVE.findIndex(([at]) => at >= fill);
  const [high, highVolts] = CURVE[Math.max(1, above)] ?? [1, 4.19];
  const [low, lowVolts] = CURVE[Math.max(1, above) - 1] ?? [0, 2.7];
  return lowVolts + ((highVolts - lowVolts) * (fill - low)) / (high - low);
}
