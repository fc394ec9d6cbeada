import type { PowerConfig } from '@dachawatch/contracts';
import type { Smbus } from './smbus.ts';

/** What `power.ups` says. A driver takes from it what its chip knows. */
export type UpsSettings = NonNullable<PowerConfig['ups']>;

/** not-ready: nothing was measured since the last reading · overflow: the current is beyond what the chip can measure ·
 *  lost-calibration: the chip had been reset; it is set up again now.
 *  `raw` is what volts and amperes were made of, to see whether it ever changes. Amperes into the pack are positive. */
export type ChipReading =
  | { readonly kind: 'good'; readonly volts: number; readonly amps: number; readonly raw: string }
  | { readonly kind: 'overflow' | 'not-ready' | 'lost-calibration' };

/** The battery's sensor. */
export interface UpsChip {
  /** A good reading was made after the one before it.
   *  @throws Failure of the bus */
  read(): Promise<ChipReading>;
}

/** A kind of chip: one file, which exports this. */
export interface ChipDriver {
  /** Touches no bus.
   *  @throws Failure `rejected` for settings with which the chip would not measure */
  readonly check: (settings: UpsSettings) => void;
  /** Writes nothing yet: the chip is set up by its first readings. */
  readonly create: (smbus: Smbus, settings: UpsSettings) => UpsChip;
}
