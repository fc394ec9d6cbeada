import type { Clock } from '../../kernel/clock.ts';
import type { Wires } from '../power.ts';
import type { GpioLine } from './gpio.ts';

/** One phase of a blinking light. */
export const BLINK_MS = 500;

type Light = Parameters<Wires['show']>[0];

export interface StatusLed {
  /** From now on the light is shown there. */
  use(line: GpioLine): void;
  show(wanted: Light): void;
  /** Puts it out and lets go of the line. */
  off(): void;
}

/** The status light: what it shall show is known before there is a line to show it with. */
export function createStatusLed({
  clock,
  onFailure,
}: {
  readonly clock: Clock;
  /** The line could not be set, and is not used any more. */
  readonly onFailure: (line: GpioLine, error: unknown) => void;
}): StatusLed {
  let led: GpioLine | null = null;
  let light: Light = 'off';
  let blinking: AbortController | null = null;

  function shine(): void {
    blinking?.abort();
    blinking = null;
    if (!led) return;
    const line = led;
    try {
      line.set(light !== 'off');
    } catch (error) {
      failed(error);
      return;
    }
    if (light !== 'blink') return;
    blinking = new AbortController();
    const { signal } = blinking;
    blink(line, signal).catch((error: unknown) => {
      if (!signal.aborted) failed(error);
    });
  }

  async function blink(line: GpioLine, signal: AbortSignal): Promise<void> {
    for (let on = false; ; on = !on) {
      await clock.sleep(BLINK_MS, signal);
      line.set(on);
    }
  }

  function failed(error: unknown): void {
    const line = led;
    led = null;
    if (line) onFailure(line, error);
  }

  return {
    use: (line) => {
      led = line;
      shine();
    },
    show: (wanted) => {
      if (wanted === light) return;
      light = wanted;
      shine();
    },
    off: () => {
      light = 'off';
      shine();
      led = null;
    },
  };
}
