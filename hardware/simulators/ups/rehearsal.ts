import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';
import type { Clock } from '../../../agent/kernel/clock.ts';
import type { Log } from '../../../agent/kernel/log.ts';
import { createPower, type PowerStatus, type ShutdownActions } from '../../../agent/power/power.ts';
import { describeI2cError, smbusFailure, type Smbus } from '../../../agent/power/i2c/smbus.ts';
import type { Scenario } from './scenario.ts';
import { createUpsModel, type Truth, type UpsModel } from './ups-model.ts';

/** What somebody saw who looked once a second. */
export interface Moment extends Truth {
  readonly status: PowerStatus;
}

export interface Rehearsal {
  readonly moments: readonly Moment[];
  /** What the policy did, with the truth at that moment. */
  readonly deeds: readonly { readonly deed: keyof ShutdownActions; readonly truth: Truth }[];
  readonly changes: readonly PowerStatus[];
}

export interface RehearsalOptions {
  readonly scenario: Scenario;
  /** Time that passes only when it is told to. */
  readonly clock: Clock & { advance(ms: number): Promise<void> };
  readonly log: Log;
  readonly thresholds?: Partial<PowerConfig['thresholds']>;
  /** How long sealing and telling take. */
  readonly sealMs?: number;
  readonly tellMs?: number;
}

/** The agent's power room against a scenario, in simulated time: hours in milliseconds. It ends with the scenario, or
 *  when the machine is off: asked to switch off, or dark because the battery gave nothing any more. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const { scenario, clock, log, thresholds = {}, sealMs = 1_500, tellMs = 1_500 } = options;
  const model = createUpsModel({ scenario });
  const beganMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - beganMs;
  const moments: Moment[] = [];
  const deeds: { deed: keyof ShutdownActions; truth: Truth }[] = [];
  const changes: PowerStatus[] = [];
  const did = (deed: keyof ShutdownActions) => {
    model.advanceTo(elapsedMs());
    deeds.push({ deed, truth: model.truth() });
  };
  const power = createPower({
    config: parseWithDefaults(PowerConfig, {
      ups: { model: 'waveshare-ups-module-3s' },
      thresholds,
      ...(scenario.wire === 'none' ? {} : { gpio: { mainsPresent: { line: 22 } } }),
    }),
    actions: {
      seal: async (signal) => {
        did('seal');
        await clock.sleep(sealMs, signal);
      },
      tell: async (signal) => {
        did('tell');
        await clock.sleep(tellMs, signal);
      },
      powerOff: () => did('powerOff'),
      resume: () => did('resume'),
    },
    onChange: (status) => changes.push(status),
    clock,
    log,
    openSmbus: async () => portOf(model, elapsedMs),
    wires: { mainsPresent: () => model.wire(), onButtonHeld: () => {}, show: () => {}, stop: () => {} },
    random: () => 0.5,
  });
  await power.start();
  const isOff = () => deeds.at(-1)?.deed === 'powerOff';
  while (!isOff() && !model.truth().isDead && elapsedMs() < scenario.durationS * 1_000) {
    await clock.advance(1_000);
    model.advanceTo(elapsedMs());
    moments.push({ ...model.truth(), status: power.status() });
  }
  await Promise.all([power.stop(), clock.advance(2_000)]);
  return { moments, deeds, changes };
}

/** The model as a port of the agent, without a socket in between. */
export function portOf(model: UpsModel, elapsedMs: () => number): Smbus {
  const { promise: closed, reject } = Promise.withResolvers<never>();
  closed.catch(() => undefined);
  let isClosed = false;
  async function transact(address: number, register: number, word?: number): Promise<number> {
    if (isClosed) return closed;
    model.advanceTo(elapsedMs());
    const outcome = model.transact(address, register, word);
    if (outcome === 'stuck') return closed;
    if ('errno' in outcome) throw describeI2cError(outcome, { bus: 1, address, buses: [] });
    return outcome.word;
  }
  return {
    readWord: transact,
    writeWord: async (address, register, word) => {
      await transact(address, register, word);
    },
    close: async () => {
      isClosed = true;
      reject(smbusFailure('smbus.closed', 'the simulated bus was closed'));
    },
  };
}
