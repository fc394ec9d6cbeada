import type { Capture } from './capture/capture.ts';
import type { PowerStatus } from './power/power.ts';

/** Lets capture decode less while the appliance runs on battery. `unknown` changes nothing: a sensor that dies on battery
 *  does not bring mains back.
 *  @param enabled `power.keyPicturesOnBattery` */
export function createBatterySaving({
  enabled,
  capture,
}: {
  readonly enabled: boolean;
  readonly capture: Pick<Capture, 'spare'>;
}) {
  let sparing = false;
  return {
    powerChanged: ({ state }: Pick<PowerStatus, 'state'>): void => {
      if (!enabled || state === 'unknown') return;
      const next = state !== 'on-mains';
      if (next === sparing) return;
      sparing = next;
      capture.spare(sparing);
    },
  };
}
