import type { PowerConfig } from '@dachawatch/contracts';
import { createLatch, type Evidence } from './latch.ts';
import type { Filtered } from './reading-filter.ts';
import type { Supply } from './supply.ts';

/** A threshold is passed, in either direction, after this long: shorter sags are load. */
const LOW_MS = 10_000;
const CRITICAL_MS = 3_000;
/** Far below critical there is no time left for `criticalForMs`: at the knee a pack loses a volt in a minute. */
const EMERGENCY_MS = 5_000;
/** Believed readings beside the time, so that two or three cannot decide. */
const DECIDING_SAMPLES = 5;

export interface PolicyInput {
  /** Null when the sensor is of no use now. */
  readonly filtered: Filtered | null;
  readonly supply: Pick<Supply, 'onMains' | 'isDraining' | 'wireSays'>;
  /** How long this moment stands for when there is no reading. */
  readonly momentMs: number;
}

export interface PolicyVerdict {
  readonly state: 'unknown' | 'on-mains' | 'on-battery' | 'low' | 'critical';
  /** Switch off now; why, for a person. */
  readonly switchOff: string | null;
  /** There is no time to wait for mains. */
  readonly hurry: boolean;
}

/** What the readings mean.
 *  Invariants
 *  1. `switchOff` needs `criticalForMs` of believed readings below the critical threshold, less only far below it, all
 *     while the battery is being emptied; evidence against it is subtracted, mains clears it.
 *  2. A sensor that is of no use decides nothing: it clears what was counted.
 *  3. Only the mains wire can speak without a sensor, and only when `blindForMs` is configured. */
export function createPolicy(thresholds: PowerConfig['thresholds']) {
  const { lowVolts, criticalVolts, hysteresisVolts, criticalForMs, blindForMs } = thresholds;
  const emergencyVolts = criticalVolts - hysteresisVolts;
  const low = createLatch({ onMs: LOW_MS, offMs: LOW_MS });
  const critical = createLatch({ onMs: CRITICAL_MS, offMs: LOW_MS });
  const empty = createLatch({ onMs: criticalForMs, offMs: 1, onSamples: DECIDING_SAMPLES });
  const emergency = createLatch({ onMs: EMERGENCY_MS, offMs: LOW_MS, onSamples: DECIDING_SAMPLES });
  const blind = createLatch({ onMs: blindForMs ?? Number.POSITIVE_INFINITY, offMs: 1 });

  const below = (volts: number, threshold: number): Evidence => {
    if (volts < threshold) return 'for';
    return volts > threshold + hysteresisVolts ? 'against' : 'neither';
  };
  const clear = () => {
    for (const latch of [critical, empty, emergency]) latch.set(false);
  };

  function withoutSensor({ supply, momentMs }: PolicyInput): PolicyVerdict {
    clear();
    low.set(false);
    const mains = supply.onMains(false);
    if (supply.wireSays() === false) blind.offer('for', momentMs);
    else blind.set(false);
    const state = mains === null ? 'unknown' : mains ? 'on-mains' : 'on-battery';
    const switchOff = blind.on()
      ? 'there has been no mains for long, and the battery cannot be measured'
      : null;
    return { state, switchOff, hurry: false };
  }

  return {
    update(input: PolicyInput): PolicyVerdict {
      const { filtered, supply } = input;
      if (!filtered) return withoutSensor(input);
      blind.set(false);
      const { volts, forMs } = filtered;
      // Also on mains: a pack that is low is not called full because mains flickers.
      low.offer(below(volts, lowVolts), forMs);
      if (supply.onMains(low.on()) === true) {
        clear();
        return { state: 'on-mains', switchOff: null, hurry: false };
      }
      const isDraining = supply.isDraining();
      critical.offer(below(volts, criticalVolts), forMs);
      empty.offer(isDraining ? below(volts, criticalVolts) : 'against', forMs);
      emergency.offer(isDraining ? below(volts, emergencyVolts) : 'against', forMs);
      const state = critical.on() ? 'critical' : low.on() ? 'low' : 'on-battery';
      const switchOff = empty.on() || emergency.on() ? 'the battery is empty' : null;
      return { state, switchOff, hurry: emergency.on() };
    },
    /** A shutdown came to nothing: what was counted starts anew. */
    clear() {
      clear();
      blind.set(false);
    },
  };
}
