import type { PowerConfig, ReportedPower } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';

export type PowerState = ReportedPower['state'];

/** On the way to switching off. sealing: running clips are being closed · telling: the cloud is being told ·
 *  waiting: mains may still return · requested: systemd was asked, there is no way back. */
export type ShutdownPhase = NonNullable<ReportedPower['shutdown']>;

export interface PowerStatus {
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

/** What the appliance does before it switches itself off. Each is called at most once per shutdown, in this order. */
export interface ShutdownActions {
  /** Closes running clips and begins no others. Resolves when they are sealed. */
  seal(signal: AbortSignal): Promise<void>;
  /** Tells the cloud what is going to happen. Resolves when it knows, or cannot be told. */
  tell(signal: AbortSignal): Promise<void>;
  /** Asks systemd to power off, once. */
  powerOff(): void;
  /** Mains is back in time: record again. */
  resume(): void;
}

export interface PowerDeps {
  readonly config: PowerConfig;
  readonly actions: ShutdownActions;
  /** Called with every change of state or shutdown phase. */
  readonly onChange: (status: PowerStatus) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Started; `Power` stops using them at its own stop, and leaves stopping them to who made them. */
  readonly wires?: Wires;
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
}
