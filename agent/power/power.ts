import type { PowerConfig, ReportedPower } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import type { UpsSettings } from './i2c/chip.ts';
import { createShutdown, type ShutdownActions } from './shutdown.ts';
import { openSocketSmbus } from './i2c/smbus-socket.ts';
import { openI2cSmbus, type OpenSmbus } from './i2c/smbus.ts';
import { createStatusLight } from './status-light.ts';
import { UPS_HARDWARE, type UpsModel } from './ups-models.ts';
import { createUps } from './ups.ts';
import { createPolicy, type PolicyVerdict } from './policy.ts';
import { createSteadySince } from './steady-since.ts';
import { createSupply } from './supply.ts';
import { runTicks } from './ticks.ts';

export type { ShutdownActions } from './shutdown.ts';

export type PowerState = ReportedPower['state'];

/** On the way to switching off. sealing: running clips are being closed · telling: the cloud is being told ·
 *  waiting: mains may still return · requested: systemd was asked, there is no way back. */
export type ShutdownPhase = NonNullable<ReportedPower['shutdown']>;

export interface PowerStatus {
  /** Whether a UPS, or a wire for mains, is configured: without one nobody knows the state, and nothing is wrong. */
  readonly isWatched: boolean;
  readonly state: PowerState;
  /** Wall time since when, Unix milliseconds. */
  readonly sinceMs: number;
  /** One sentence for a person: why `unknown`, what the sensor does wrong, who asked to switch off. */
  readonly detail: string | null;
  /** Filtered readings; null without a sensor, or when it has not given a good one for a while. */
  readonly volts: number | null;
  /** Positive: the battery is being charged. */
  readonly amps: number | null;
  readonly percent: number | null;
  /** At the present current; only on battery. */
  readonly minutesLeft: number | null;
  readonly shutdown: ShutdownPhase | null;
}

export interface PowerDeps {
  readonly config: PowerConfig;
  readonly actions: ShutdownActions;
  /** Called with every change of state or shutdown phase. */
  readonly onChange: (status: PowerStatus) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: `ups.simulator`'s socket when it is configured, else bus `ups.bus` of this machine. */
  readonly openSmbus?: OpenSmbus;
  /** What `ups.model` may name; default: every UPS that is known. */
  readonly models?: Readonly<Record<string, UpsModel>>;
  /** Started; `Power` stops using them at its own stop, and leaves stopping them to who made them. */
  readonly wires?: Wires;
  /** 0 to 1, for the jitter of the backoff. */
  readonly random?: () => number;
}

/** GPIO lines of the appliance, all optional: what is not configured answers null or does nothing. */
export interface Wires {
  /** Whether mains is there, at this moment; null when there is no such wire, or it cannot be read. */
  mainsPresent(): boolean | null;
  /** Calls `listener` once each time the shutdown button has been held for its time. */
  onButtonHeld(listener: () => void): void;
  /** The status light. */
  show(light: 'on' | 'off' | 'blink'): void;
  stop(): void;
}

/** UPS, wires and what follows from them. Without a UPS, or with a dead bus, the state is `unknown`, one warning is
 *  logged, and everything else works. */
export interface Power {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): PowerStatus;
  /** Something outside this room needs a person: the light blinks. */
  setTrouble(trouble: boolean): void;
}

/** @throws Failure `rejected` for a configuration that contradicts itself */
export function createPower(deps: PowerDeps): Power {
  const { config, actions, onChange, clock, log, wires } = deps;
  const { thresholds } = config;
  const ups = upsOf(deps);
  const supply = createSupply();
  const policy = createPolicy(thresholds);
  const shutdown = createShutdown({
    actions,
    returnMs: thresholds.returnMs,
    onPhase: publish,
    onRefused: () => policy.clear(),
    clock,
    log,
  });
  const isWatched = ups !== undefined || config.gpio?.mainsPresent !== undefined;
  const light = createStatusLight(wires, isWatched);
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let state: PowerState = 'unknown';
  const since = createSteadySince(clock);
  let told = 'unknown/';
  let troubleOutside = false;

  function detail(): string | null {
    if (shutdown.why() !== null) return shutdown.why();
    if (!ups) return state === 'unknown' ? 'no UPS is configured' : null;
    return ups.trouble() ?? supply.contradiction() ?? (state === 'on-mains' ? ups.notCharging() : null);
  }

  function status(): PowerStatus {
    return {
      state,
      isWatched,
      sinceMs: since.wallMs(),
      detail: detail(),
      ...(ups?.figures(state) ?? { volts: null, amps: null, percent: null, minutesLeft: null }),
      shutdown: shutdown.phase(),
    };
  }

  function publish(): void {
    const now = status();
    light.show(now, troubleOutside);
    const news = `${now.state}/${now.shutdown ?? ''}`;
    if (news === told) return;
    told = news;
    onChange(now);
  }

  function become({ state: next, switchOff, hurry }: PolicyVerdict): void {
    if (next !== state) {
      const fields = { event: 'power.state', from: state, to: next, ...ups?.figures(next) };
      state = next;
      since.restart();
      if (next === 'low' || next === 'critical') log.warn(fields, `power: ${next}`);
      else log.info(fields, `power: ${next}`);
    }
    if (next === 'on-mains') shutdown.mainsBack();
    if (switchOff !== null) shutdown.begin('battery', switchOff);
    if (hurry) shutdown.hurry();
    publish();
  }

  async function tick(momentMs: number): Promise<void> {
    const filtered = ups ? await ups.poll() : null;
    supply.read(filtered);
    supply.wire(wires?.mainsPresent() ?? null, momentMs);
    if (stopping.signal.aborted) return;
    become(policy.update({ filtered, supply, momentMs }));
  }

  const isUrgent = () => shutdown.phase() !== null || (ups?.isNearCritical() ?? false);

  return {
    name: 'power',
    status,
    setTrouble(trouble) {
      troubleOutside = trouble;
      light.show(status(), troubleOutside);
    },
    async start() {
      if (!ups && !wires) return;
      wires?.onButtonHeld(() => shutdown.begin('button', 'the shutdown button was held'));
      light.show(status(), troubleOutside);
      running = runTicks({ tick, isUrgent, clock, log, signal: stopping.signal });
    },
    async stop() {
      stopping.abort();
      await shutdown.stop();
      await running;
      await ups?.close();
      light.off();
    },
  };
}

function opener({ simulator, bus }: UpsSettings): OpenSmbus {
  return simulator === undefined ? () => openI2cSmbus(bus) : () => openSocketSmbus(simulator);
}

/** Undefined: none is configured.
 *  @throws Failure `rejected` for a configuration that contradicts itself */
function upsOf({ config, clock, log, openSmbus, models = UPS_HARDWARE, random = Math.random }: PowerDeps) {
  const { ups: settings, thresholds } = config;
  const hardware = settings && hardwareOf(settings, models);
  check(config, hardware);
  if (!settings || !hardware) return undefined;
  const open = openSmbus ?? opener(settings);
  return createUps({ config: settings, hardware, thresholds, open, clock, log, random });
}

/** @throws Failure `rejected` for a model that nobody drives */
function hardwareOf({ model }: UpsSettings, models: Readonly<Record<string, UpsModel>>): UpsModel {
  const hardware = Object.hasOwn(models, model) ? models[model] : undefined;
  if (hardware) return hardware;
  const known = Object.keys(models).join(', ');
  throw new Failure(
    'rejected',
    'power.model',
    `power.ups.model: nobody drives a ${model}; there are: ${known}`,
  );
}

/** Refuses what each value's own bounds cannot. */
function check({ ups, thresholds, gpio }: PowerConfig, hardware: UpsModel | undefined): void {
  const refuse = (code: string, sentence: string) => {
    throw new Failure('rejected', `power.${code}`, sentence);
  };
  const { lowVolts, criticalVolts, hysteresisVolts, blindForMs } = thresholds;
  if (lowVolts <= criticalVolts)
    refuse(
      'thresholds',
      `power.thresholds: lowVolts (${lowVolts}) must be above criticalVolts (${criticalVolts})`,
    );
  if (blindForMs !== undefined && !gpio?.mainsPresent)
    refuse('blind', 'power.thresholds.blindForMs needs the wire power.gpio.mainsPresent');
  if (!ups || !hardware) return;
  const { least, most } = hardware.battery.range;
  if (criticalVolts - hysteresisVolts <= least || lowVolts + hysteresisVolts >= most)
    refuse(
      'thresholds',
      `power.thresholds: a ${ups.model} has ${least} to ${most} V, and the thresholds with their hysteresis must lie within`,
    );
}
