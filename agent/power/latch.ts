/** for: this moment speaks for the yes · against: for the no · neither: it says nothing. */
export type Evidence = 'for' | 'against' | 'neither';

export interface LatchTimes {
  /** Evidence for, in milliseconds, until it is yes; evidence against is subtracted. */
  readonly onMs: number;
  /** Evidence against until it is no again. */
  readonly offMs: number;
  /** Pieces of evidence beside the time, so that a few moments that stand for long ones do not suffice. Default 1. */
  readonly onSamples?: number;
}

/** A yes or no that single moments cannot turn over: time for it counts up, time against it counts down.
 *  So one wrong moment in four delays a change, and neither causes nor prevents it. */
export interface Latch {
  /** @param ms how long this moment stands for */
  offer(evidence: Evidence, ms: number): boolean;
  on(): boolean;
  /** Back to no, nothing counted; or to yes. */
  set(on: boolean): void;
}

export function createLatch({ onMs, offMs, onSamples = 1 }: LatchTimes, initially = false): Latch {
  let on = initially;
  let countedMs = 0;
  let samples = 0;

  function set(value: boolean): void {
    on = value;
    countedMs = 0;
    samples = 0;
  }

  return {
    set,
    on: () => on,
    offer(evidence, ms) {
      if (evidence === 'neither') return on;
      const speaksForChange = (evidence === 'for') !== on;
      countedMs = Math.max(0, countedMs + (speaksForChange ? ms : -ms));
      samples = countedMs === 0 ? 0 : samples + (speaksForChange ? 1 : -1);
      if (countedMs >= (on ? offMs : onMs) && (on || samples >= onSamples)) set(!on);
      return on;
    },
  };
}
