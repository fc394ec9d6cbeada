import type { GpioLine, LineRequest, OpenLine } from '../../../../../agent/power/gpio/gpio.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

export interface FakeLine {
  readonly request: LineRequest;
  /** What the line says; of an output, what was set last. */
  active: boolean;
  /** How often it was looked at. */
  looks: number;
  closed: boolean;
  /** How many wait for its next edge: each of them would keep a process alive. */
  waiting: number;
  /** Changes the level and, unless the edge gets lost, tells. */
  turn(active: boolean, edge?: 'edge' | 'lost'): void;
  /** From now on every use throws. */
  break(): void;
}

/** GPIO lines without a chip. `refuse` names lines that cannot be opened. */
export function createFakeLines(refuse: Readonly<Record<number, string>> = {}) {
  const lines = new Map<number, FakeLine>();

  const open: OpenLine = async (request) => {
    const reason = refuse[request.line];
    if (reason !== undefined) throw new Failure('rejected', 'gpio.unusable', reason);
    let broken = false;
    const wake = new Set<() => void>();
    const check = () => {
      if (broken) throw new Error('ENODEV: no such device, read');
      if (line.closed) throw new Error('a closed line was used');
    };
    const line: FakeLine = {
      request,
      active: false,
      looks: 0,
      closed: false,
      waiting: 0,
      turn(active, edge = 'edge') {
        line.active = active;
        if (edge === 'edge') for (const one of [...wake]) one();
      },
      break() {
        broken = true;
      },
    };
    lines.set(request.line, line);
    const gpio: GpioLine = {
      active() {
        check();
        line.looks += 1;
        return line.active;
      },
      set(active) {
        check();
        line.active = active;
      },
      edge: (signal) =>
        new Promise((resolve) => {
          check();
          const done = () => {
            wake.delete(done);
            line.waiting = wake.size;
            resolve();
          };
          wake.add(done);
          line.waiting = wake.size;
          signal.addEventListener('abort', done, { once: true });
        }),
      close() {
        check();
        line.closed = true;
      },
    };
    return gpio;
  };

  return {
    open,
    line(number: number): FakeLine {
      const line = lines.get(number);
      if (!line) throw new Error(`nobody opened line ${number}`);
      return line;
    },
    opened: () => [...lines.keys()].toSorted((a, b) => a - b),
  };
}
