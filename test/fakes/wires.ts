import type { Wires } from '../../agent/power/power.ts';

export interface FakeWires extends Wires {
  setMains(present: boolean | null): void;
  holdButton(): void;
  /** Every light that was asked for, in order. */
  readonly lights: ('on' | 'off' | 'blink')[];
}

/** GPIO lines without a board. */
export function createFakeWires(mains: boolean | null = null): FakeWires {
  const listeners: (() => void)[] = [];
  const lights: ('on' | 'off' | 'blink')[] = [];
  let present = mains;
  return {
    lights,
    setMains(value) {
      present = value;
    },
    holdButton: () => listeners.forEach((listener) => listener()),
    mainsPresent: () => present,
    onButtonHeld: (listener) => void listeners.push(listener),
    show: (light) => void lights.push(light),
    stop: () => {
      present = null;
    },
  };
}
