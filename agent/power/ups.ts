import type { PowerConfig } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createForecast, fillOf } from './battery.ts';
import { createReadingFilter, type Filtered } from './reading-filter.ts';
import { createSensor, type SensorOutcome } from './sensor.ts';
import type { OpenSmbus } from './i2c/smbus.ts';
import type { UpsModel } from './ups-models.ts';
import type { UpsSettings } from './i2c/chip.ts';

/** Without a believed reading for this long, the last ones say nothing any more. */
const STALE_MS = 15_000;
/** Registers that have repeated themselves for this long while a current flows are those of a frozen sensor. */
const FROZEN_MS = 120_000;
/** Trouble that comes again within this time is the same trouble. */
const WELL_MS = 10_000;
/** A pack that is low takes at least this from a charger that works. */
const CHARGED_AMPS = 0.05;

export interface UpsDeps {
  readonly config: UpsSettings;
  readonly hardware: UpsModel;
  readonly thresholds: PowerConfig['thresholds'];
  readonly open: OpenSmbus;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export interface Figures {
  readonly volts: number | null;
  readonly amps: number | null;
  readonly percent: number | null;
  readonly minutesLeft: number | null;
}

/** The UPS as readings that can be believed, and the reason when there are none. */
export interface Ups {
  /** Reads once. `forMs` is 0 when nothing new was believed; null: the sensor is of no use now. */
  poll(): Promise<Filtered | null>;
  /** Why the sensor is of no use; null when it is. */
  trouble(): string | null;
  /** The pack is low, and nothing charges it. */
  notCharging(): string | null;
  figures(state: string): Figures;
  isNearCritical(): boolean;
  close(): Promise<void>;
}

export function createUps({ config, hardware, thresholds, open, clock, log, random }: UpsDeps): Ups {
  const model = hardware.battery;
  const { capacityMilliampHours } = config;
  const sensor = createSensor({ open, driver: hardware.chip, settings: config, clock, random });
  const filter = createReadingFilter(model.range);
  const forecast = createForecast({ model, emptyAtVolts: thresholds.criticalVolts, capacityMilliampHours });
  const startedMs = clock.monotonicMs();
  let usable: Filtered | null = null;
  let lastFault = 'the UPS has not been read yet';
  let lasting = false;
  let trouble: string | null = lastFault;
  /** Of the trouble that was logged; null: the last that was logged is that all is well. */
  let warned: string | null = null;
  let wellSinceMs = 0;
  let resets = 0;

  function note(outcome: SensorOutcome): void {
    if (outcome.kind === 'failed') {
      lastFault = outcome.failure.message;
      lasting = outcome.lasting;
      return;
    }
    if (outcome.kind === 'waiting') return;
    lasting = false;
    if (outcome.kind === 'not-ready') lastFault = 'the chip of the UPS does not measure';
    if (outcome.kind === 'overflow') lastFault = 'the current of the UPS is beyond its calibration';
    if (outcome.kind === 'lost-calibration') {
      lastFault = 'the chip of the UPS loses its calibration again and again';
      resets += 1;
      // Powers of two: the first at once, a broken one not a line each second.
      if ((resets & (resets - 1)) === 0)
        log.warn(
          { event: 'ups.reset', times: resets },
          'the chip of the UPS had been reset, and was set up again',
        );
    }
  }

  /** Why nothing follows from the readings now. */
  function judge(): string | null {
    const nowMs = clock.monotonicMs();
    const frozenMs = filter.frozenSinceMs();
    const believedMs = filter.believedMs();
    if (frozenMs !== null && nowMs - frozenMs >= FROZEN_MS)
      return 'the sensor of the UPS always tells the same';
    if (filter.contradicts()) return 'the readings of the UPS contradict each other';
    if (believedMs === null) return lastFault;
    return nowMs - believedMs >= STALE_MS || lasting ? lastFault : null;
  }

  /** One line when trouble begins, another kind of it included, and one when it is over. */
  function report(): void {
    const nowMs = clock.monotonicMs();
    if (trouble !== null) wellSinceMs = nowMs;
    if (warned !== null && nowMs - wellSinceMs >= WELL_MS) {
      log.info({ event: 'ups.readable' }, 'the UPS can be read again');
      warned = null;
    }
    const settled = usable !== null || lasting || nowMs - startedMs >= STALE_MS;
    if (trouble === null || warned !== null || !settled) return;
    warned = trouble;
    log.warn({ event: 'ups.unreadable', detail: trouble }, `the UPS tells nothing: ${trouble}`);
  }

  return {
    trouble: () => trouble,
    async poll() {
      const outcome = await sensor.poll();
      note(outcome);
      const filtered =
        outcome.kind === 'good' ? filter.offer({ ...outcome, atMs: clock.monotonicMs() }) : null;
      trouble = judge();
      report();
      if (filtered) forecast.offer(filtered.amps, filtered.forMs);
      const latest = filter.latest();
      usable = trouble === null && latest ? (filtered ?? { ...latest, forMs: 0 }) : null;
      return usable;
    },
    notCharging: () =>
      usable && usable.volts < thresholds.lowVolts && usable.amps < CHARGED_AMPS
        ? 'the battery is nearly empty and is not being charged'
        : null,
    figures(state) {
      if (!usable) return { volts: null, amps: null, percent: null, minutesLeft: null };
      const onBattery = state !== 'on-mains' && state !== 'unknown';
      return {
        volts: rounded(usable.volts),
        amps: rounded(usable.amps),
        percent: Math.round(fillOf(usable.volts, model) * 100),
        minutesLeft: onBattery ? forecast.minutesLeft(usable.volts) : null,
      };
    },
    isNearCritical: () =>
      usable !== null && usable.volts < thresholds.criticalVolts + 2 * thresholds.hysteresisVolts,
    close: () => sensor.close(),
  };
}

const rounded = (value: number) => Math.round(value * 100) / 100;
