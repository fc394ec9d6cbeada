/** What a model of UPS means for the numbers. */
export interface BatteryModel {
  /** Volts that a working pack can show; anything else is a wrong reading. */
  readonly range: { readonly least: number; readonly most: number };
  /** The maker's scale: 0 % and 100 %. Linear, so a rough guess. */
  readonly emptyVolts: number;
  readonly fullVolts: number;
}

/** How full by voltage, 0 to 1. */
export const fillOf = (volts: number, { emptyVolts, fullVolts }: BatteryModel): number =>
  Math.min(1, Math.max(0, (volts - emptyVolts) / (fullVolts - emptyVolts)));

/** The current is averaged over about this long, so that the answer does not jump with the load. */
const AVERAGE_MS = 60_000;
/** Less than this out of the pack is offset, not load. */
const FLOWS_AMPS = 0.05;

export interface Forecast {
  /** @param forMs how long this reading stands for */
  offer(amps: number, forMs: number): void;
  /** Minutes until `emptyAtVolts` at the average current, rounded for a person; null when nothing flows out. */
  minutesLeft(volts: number): number | null;
}

export interface ForecastDeps {
  readonly model: BatteryModel;
  readonly emptyAtVolts: number;
  readonly capacityMilliampHours: number;
}

/** How long the battery lasts: what the maker's scale says is left above `emptyAtVolts`, at the average current. */
export function createForecast({ model, emptyAtVolts, capacityMilliampHours }: ForecastDeps): Forecast {
  let averageAmps: number | null = null;
  return {
    offer(amps, forMs) {
      // On mains nothing is known about what will be taken out.
      if (amps > -FLOWS_AMPS) averageAmps = null;
      else if (averageAmps === null) averageAmps = amps;
      else averageAmps += (amps - averageAmps) * Math.min(1, forMs / AVERAGE_MS);
    },
    minutesLeft(volts) {
      if (averageAmps === null) return null;
      const left = Math.max(0, fillOf(volts, model) - fillOf(emptyAtVolts, model));
      return roundForPeople(((left * capacityMilliampHours) / 1_000 / -averageAmps) * 60);
    },
  };
}

/** To ten minutes above an hour and a half, to five above twenty minutes. */
function roundForPeople(minutes: number): number {
  const step = minutes >= 90 ? 10 : minutes >= 20 ? 5 : 1;
  return Math.floor(minutes / step) * step;
}
