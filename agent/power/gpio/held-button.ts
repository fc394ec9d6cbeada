import type { Clock } from '../../kernel/clock.ts';
import type { GpioLine } from './gpio.ts';
import { followInput } from './wires-input.ts';

/** Follows a button until the signal ends it.
 *  Invariant: it counts once per press, when it has been held for `holdMs`. One that is held since before the start
 *  counts only after it was let go. */
export async function followHeldButton({
  line,
  holdMs,
  clock,
  signal,
  onHeld,
}: {
  readonly line: GpioLine;
  readonly holdMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onHeld: (heldMs: number) => void;
}): Promise<void> {
  let armed = false;
  let pressed = false;
  const look = (active: boolean, sinceMs: number, nowMs: number) => {
    pressed = active;
    if (!active) armed = true;
    else if (armed && nowMs - sinceMs >= holdMs) {
      armed = false;
      onHeld(nowMs - sinceMs);
    }
  };
  await followInput({ line, clock, look, busy: () => pressed && armed }, signal);
}
