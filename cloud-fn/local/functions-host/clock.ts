/** Time of the functions host. Durable timers are promises about wall time, so that is what it gives. */
export interface HostClock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Calls `wake` at `atMs` or soon after; at once when that has passed. Returns how to cancel it. */
  wakeAt(atMs: number, wake: () => void): () => void;
}

/** Longest sleep before the wall clock is read again: it may have been set meanwhile. */
const RECHECK_MS = 60_000;

export const systemHostClock: HostClock = {
  nowMs: () => Date.now(),
  wakeAt: (atMs, wake) => {
    let timer: NodeJS.Timeout | undefined;
    const sleep = () => {
      const leftMs = atMs - Date.now();
      timer = leftMs > RECHECK_MS ? setTimeout(sleep, RECHECK_MS) : setTimeout(wake, Math.max(0, leftMs));
    };
    sleep();
    return () => clearTimeout(timer);
  },
};
