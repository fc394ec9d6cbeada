import { createLatch, type Evidence } from './latch.ts';
import type { Filtered } from './reading-filter.ts';

/** A Raspberry Pi 5 takes at least 2.5 W: 0.2 A out of a full pack. A full pack on mains gives and takes nothing; what
 *  its sensor shows then is offset, at most a few hundredths of an ampere at 0.01 ohm. In between nothing is decided. */
const DISCHARGING_AMPS = -0.12;
const NOT_DISCHARGING_AMPS = -0.06;
const CHARGING_AMPS = 0.1;
/** A change of mains is believed after this long. */
const CURRENT_MS = 3_000;
const WIRE_MS = 2_000;
/** A wire and a sensor that disagree for shorter than this saw the same change, one earlier than the other. */
const CONTRADICTION_MS = 60_000;

export interface Supply {
  /** A filtered reading, or null when the sensor is of no use now. */
  read(filtered: Filtered | null): void;
  /** What the mains wire says at this moment; null without one.
   *  @param ms how long this moment stands for */
  wire(present: boolean | null, ms: number): void;
  /** Whether mains is there; null: nobody can say.
   *  @param isLow the pack is below its low threshold: a wire is then not believed against a discharging current */
  onMains(isLow: boolean): boolean | null;
  wireSays(): boolean | null;
  /** The battery is being emptied: by its current, or mains is absent by wire and nothing charges it. */
  isDraining(): boolean;
  /** What wire and sensor tell differently, for a person. */
  contradiction(): string | null;
}

/** Where the power comes from, out of the battery's current and the mains wire.
 *  1. With a wire, the wire says whether mains is there: it knows at once, and also with a full pack.
 *  2. Without one: a current out of the pack means no mains; anything else means mains.
 *  3. A wire that says mains does not keep an emptying pack from being treated as one when it is low. */
export function createSupply(): Supply {
  const discharging = createLatch({ onMs: CURRENT_MS, offMs: CURRENT_MS });
  const wirePresent = createLatch({ onMs: WIRE_MS, offMs: WIRE_MS });
  const contradicting = createLatch({ onMs: CONTRADICTION_MS, offMs: CURRENT_MS });
  let sensorWorks = false;
  let amps: number | null = null;
  let hasWire = false;

  const evidence = (value: number): Evidence => {
    if (value < DISCHARGING_AMPS) return 'for';
    return value > NOT_DISCHARGING_AMPS ? 'against' : 'neither';
  };
  const wireSays = () => (hasWire ? wirePresent.on() : null);
  const isCharging = () => amps !== null && amps > CHARGING_AMPS;

  return {
    read(filtered) {
      if (!filtered) {
        sensorWorks = false;
        amps = null;
        contradicting.set(false);
        return;
      }
      if (!sensorWorks) discharging.set(filtered.amps < (DISCHARGING_AMPS + NOT_DISCHARGING_AMPS) / 2);
      sensorWorks = true;
      amps = filtered.amps;
      discharging.offer(evidence(amps), filtered.forMs);
    },
    wire(present, ms) {
      if (present === null) {
        hasWire = false;
        return;
      }
      if (!hasWire) wirePresent.set(present);
      hasWire = true;
      wirePresent.offer(present ? 'for' : 'against', ms);
      const differs = wirePresent.on() ? discharging.on() : isCharging();
      contradicting.offer(sensorWorks && differs ? 'for' : 'against', ms);
    },
    onMains(isLow) {
      if (hasWire && !(isLow && sensorWorks && discharging.on())) return wirePresent.on();
      return sensorWorks ? !discharging.on() : null;
    },
    wireSays,
    isDraining: () => sensorWorks && (discharging.on() || (wireSays() === false && !isCharging())),
    contradiction() {
      if (wireSays() === null || !contradicting.on()) return null;
      return wirePresent.on()
        ? 'the mains wire says that mains is there, but the battery is being emptied'
        : 'the mains wire says that mains is gone, but the battery is being charged';
    },
  };
}
