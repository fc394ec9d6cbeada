/** Whether the worker takes requests. Closed before its machine is stopped, and open again when nothing threatens.
 *  Invariant: when `close` has settled, nothing is worked on, and nothing is taken until `open`. */
export interface Intake {
  /** Takes nothing more, ends what is under way, and waits until that has gone back to the queue. */
  close(): Promise<void>;
  open(): void;
  /** Settles when requests are taken, or when the signal is aborted; at once when they are. */
  whenOpen(signal: AbortSignal): Promise<void>;
  /** True while closed. */
  isClosed(): boolean;
  /** Does a piece of work whose signal is aborted when the intake is closed. Only while it is open. */
  during<T>(work: (closing: AbortSignal) => Promise<T>): Promise<T>;
}

export function createIntake(): Intake {
  let closing = new AbortController();
  let opened = Promise.withResolvers<void>();
  let underWay: Promise<unknown> = Promise.resolve();

  async function whenOpen(signal: AbortSignal): Promise<void> {
    if (!closing.signal.aborted || signal.aborted) return;
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([opened.promise, stopped.promise]);
    signal.removeEventListener('abort', stop);
  }

  return {
    close: async () => {
      closing.abort(new Error('the machine is about to be stopped'));
      await underWay;
    },
    open: () => {
      if (!closing.signal.aborted) return;
      closing = new AbortController();
      opened.resolve();
      opened = Promise.withResolvers();
    },
    whenOpen,
    isClosed: () => closing.signal.aborted,
    during: async (work) => {
      closing.signal.throwIfAborted();
      const done = work(closing.signal);
      // Whoever closes waits for the end, whatever it is.
      underWay = done.catch(() => undefined);
      return done;
    },
  };
}
