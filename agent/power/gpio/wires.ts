import type { PowerConfig } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { GpioLine, OpenLine } from './gpio.ts';
import { createSysfsGpio } from './gpio-sysfs.ts';
import type { Wires } from '../power.ts';
import { createStatusLed } from './status-led.ts';
import { followHeldButton } from './held-button.ts';
import { followInput } from './wires-input.ts';

export interface WiresDeps {
  readonly config: NonNullable<PowerConfig['gpio']>;
  readonly clock: Clock;
  readonly log: Log;
  readonly openLine?: OpenLine;
}

export interface StartableWires extends Wires {
  readonly name: string;
  /** Begins to open the lines, and waits for none: they come when udev has handed them over. Never fails: one that
   *  cannot be used is logged once, and is then as if not configured. */
  start(): Promise<void>;
}

type LineName = 'statusLed' | 'shutdownButton' | 'mainsPresent';
const THING = {
  statusLed: 'status light',
  shutdownButton: 'shutdown button',
  mainsPresent: 'mains-present wire',
} as const satisfies Record<LineName, string>;

/** Status light, shutdown button and mains-present wire.
 *  Invariants
 *  1. A line that fails, now or later, is logged once with its name and reason and does not disturb the others.
 *  2. The button counts once per press, when it has been held for `holdMs`. One that is held since before the start
 *     counts only after it was let go: a stuck button must not switch the appliance off at every boot.
 *  3. After `stop` the light is off, the lines belong to the kernel again, and nothing keeps the process alive. */
export function createWires({
  config,
  clock,
  log,
  openLine = createSysfsGpio({ clock }),
}: WiresDeps): StartableWires {
  const stopping = new AbortController();
  const open = new Set<GpioLine>();
  const heldListeners: (() => void)[] = [];
  let mains: boolean | null = null;
  const led = createStatusLed({ clock, onFailure: (line, error) => lost('statusLed', error, line) });

  /** Opens a line and has it used; whatever goes wrong ends this line only. Never rejects. */
  async function use(name: LineName, whenOpen: (line: GpioLine) => Promise<void> | void): Promise<void> {
    const settings = config[name];
    if (!settings) return;
    const { line: number, activeLow } = settings;
    const direction = name === 'statusLed' ? 'out' : 'in';
    try {
      const line = await openLine(
        { chipLabel: config.chipLabel, line: number, direction, activeLow },
        stopping.signal,
      );
      open.add(line);
      // Stopped meanwhile, so that `stop` has not seen it.
      if (stopping.signal.aborted) return giveBack(line);
      await Promise.resolve(whenOpen(line)).catch((error: unknown) => lost(name, error, line));
    } catch (error) {
      lost(name, error);
    }
  }

  function lost(name: LineName, error: unknown, line?: GpioLine): void {
    if (line) giveBack(line);
    if (stopping.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(
      { event: 'gpio.line-unusable', line: name, gpio: config[name]?.line, chip: config.chipLabel, reason },
      `the ${THING[name]} is not used: ${reason}`,
    );
  }

  function giveBack(line: GpioLine): void {
    if (!open.delete(line)) return;
    try {
      line.close();
    } catch (error) {
      log.debug({ event: 'gpio.close-failed', err: error }, 'a GPIO line could not be given back');
    }
  }

  async function followMains(line: GpioLine): Promise<void> {
    const look = (active: boolean) => {
      mains = active;
    };
    try {
      await followInput({ line, clock, look, busy: () => false }, stopping.signal);
    } finally {
      mains = null;
    }
  }

  const followButton = (line: GpioLine): Promise<void> =>
    followHeldButton({
      line,
      holdMs: config.shutdownButton?.holdMs ?? Number.POSITIVE_INFINITY,
      clock,
      signal: stopping.signal,
      onHeld: (heldMs) => {
        log.info({ event: 'gpio.button-held', heldMs }, 'the shutdown button was held');
        for (const listener of heldListeners) listener();
      },
    });

  return {
    name: 'wires',
    async start() {
      void use('statusLed', (line) => led.use(line));
      void use('mainsPresent', followMains);
      void use('shutdownButton', followButton);
    },
    mainsPresent: () => mains,
    onButtonHeld(listener) {
      heldListeners.push(listener);
    },
    show(wanted) {
      if (!stopping.signal.aborted) led.show(wanted);
    },
    stop() {
      stopping.abort();
      led.off();
      for (const line of open) giveBack(line);
    },
  };
}
