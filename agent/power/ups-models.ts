import type { UPS_MODELS } from '@dachawatch/contracts';
import type { BatteryModel } from './battery.ts';
import type { ChipDriver } from './i2c/chip.ts';
import { INA219 } from './i2c/ina219.ts';

/** A UPS that can be bought: its chip, and what its pack means for the numbers. */
export interface UpsModel {
  readonly chip: ChipDriver;
  readonly battery: BatteryModel;
}

/** Every UPS that `power.ups.model` may name. Another one is a line here and its name in `UPS_MODELS`; when its chip is
 *  another one, too, the driver is a file beside `ina219.ts`.
 *  - waveshare-ups-module-3s: three cells in series of 2.0 to 4.4 V; percent = (V - 9) / 3.6, as the maker's program. */
export const UPS_HARDWARE: Readonly<Record<(typeof UPS_MODELS)[number], UpsModel>> = {
  'waveshare-ups-module-3s': {
    chip: INA219,
    battery: { range: { least: 6, most: 13.2 }, emptyVolts: 9, fullVolts: 12.6 },
  },
};
