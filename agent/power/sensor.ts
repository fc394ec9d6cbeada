import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import type { ChipDriver, ChipReading, UpsChip, UpsSettings } from './i2c/chip.ts';
import { type OpenSmbus, type Smbus, smbusFailure } from './i2c/smbus.ts';
import { within } from '../kernel/waiting/deadline.ts';

/** Longest that one reading may take: ten words at 100 kHz take 5 ms. */
const POLL_MS = 1_000;
/** A chip that has been silent for this long is asked more and more rarely. */
const PATIENCE_MS = 15_000;
const RETRY: BackoffPolicy = { minMs: 1_000, maxMs: 20_000 };
/** Neither passes by itself within a moment: no patience. */
const LASTING: readonly string[] = ['smbus.no-bus', 'smbus.no-access', 'smbus.no-addon', 'smbus.in-use'];

/** waiting: it is not time to ask again yet. */
export type SensorOutcome =
  | ChipReading
  | { readonly kind: 'failed'; readonly failure: Failure; readonly lasting: boolean }
  | { readonly kind: 'waiting' };

export interface SensorDeps {
  readonly open: OpenSmbus;
  readonly driver: ChipDriver;
  readonly settings: UpsSettings;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of the backoff. */
  readonly random: () => number;
}

export interface Sensor {
  /** Never rejects, never takes longer than a second. */
  poll(): Promise<SensorOutcome>;
  close(): Promise<void>;
}

/** The UPS as long as it can be reached, and the way back to it when it cannot.
 *  Invariants
 *  1. At most one port is open, at most one reading under way. A port whose reading hangs is closed, and the next is not
 *     opened before reading and close are over: one hung ioctl costs one thread, not one with every poll.
 *  2. It asks for ever: at most 30 s pass between two attempts.
 *  @throws Failure `rejected` for settings that cannot work */
export function createSensor({ open, driver, settings, clock, random }: SensorDeps): Sensor {
  driver.check(settings);
  let smbus: Smbus | undefined;
  let chip: UpsChip | undefined;
  let reading: Promise<ChipReading> | undefined;
  let closing: Promise<unknown> | undefined;
  let answeredMs = Number.NEGATIVE_INFINITY;
  let retryMs = 0;
  let failures = 0;

  async function read(): Promise<ChipReading> {
    if (!smbus || !chip) {
      smbus = await open();
      chip = driver.create(smbus, settings);
    }
    return chip.read();
  }

  /** Closes the port, and whatever a reading that is still under way opens. */
  function drop(): void {
    if (closing || (!smbus && !reading)) return;
    const closeNow = () => smbus?.close();
    closing = Promise.allSettled([reading, closeNow()])
      .then(closeNow)
      // The port is given up either way: the next reading opens another one.
      .catch(() => undefined)
      .then(() => {
        smbus = undefined;
        chip = undefined;
        closing = undefined;
      });
  }

  function failed(failure: Failure): SensorOutcome {
    const nowMs = clock.monotonicMs();
    const lasting = LASTING.includes(failure.code);
    const impatient = lasting || nowMs - answeredMs >= PATIENCE_MS;
    if (failure.code !== 'smbus.no-chip' || impatient) drop();
    if (impatient) {
      retryMs = nowMs + backoffMs(RETRY, failures, random);
      failures += 1;
    }
    return { kind: 'failed', failure, lasting };
  }

  return {
    async poll() {
      if (closing)
        return failed(smbusFailure('smbus.failed', 'the bus is stuck: a transaction on it does not end'));
      if (clock.monotonicMs() < retryMs) return { kind: 'waiting' };
      const late = (): never => {
        throw smbusFailure('smbus.failed', 'the bus is stuck: the chip could not be read in time');
      };
      try {
        reading = read();
        const result = await within(clock, reading, POLL_MS, late);
        reading = undefined;
        answeredMs = clock.monotonicMs();
        failures = 0;
        retryMs = 0;
        return result;
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'transient') throw error;
        const outcome = failed(error);
        reading = undefined;
        return outcome;
      }
    },
    async close() {
      drop();
      if (closing) await within(clock, closing, POLL_MS, () => undefined);
    },
  };
}
