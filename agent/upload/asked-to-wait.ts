import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';

/** Whether hub or storage asked everybody to wait, and for how long. */
export interface AskedToWait {
  /** Notes what an answer asked for. What is under way ends then. */
  heed(failure: Failure): void;
  /** 0 when nobody asked, or when it is over. */
  waitMs(): number;
  /** Ends with `signal`, and when somebody asks to wait. */
  until(signal: AbortSignal): AbortSignal;
  /** What is told to whoever may not ask now: `upload.asked-to-wait`. */
  refusal(): Failure;
}

export function createAskedToWait(clock: Pick<Clock, 'monotonicMs'>): AskedToWait {
  let waitUntilMs = 0;
  /** Ends what is under way when all are asked to wait. */
  let calm = new AbortController();

  const waitMs = () => Math.max(0, waitUntilMs - clock.monotonicMs());

  function refusal(): Failure {
    const leftMs = waitMs();
    return new Failure(
      'transient',
      'upload.asked-to-wait',
      `the cloud asked to be left in peace for another ${Math.ceil(leftMs / 1_000)} s`,
      { retryAfterMs: leftMs },
    );
  }

  return {
    heed(failure) {
      if (failure.retryAfterMs === undefined || !isOfTheService(failure)) return;
      waitUntilMs = Math.max(waitUntilMs, clock.monotonicMs() + failure.retryAfterMs);
      const ended = calm;
      calm = new AbortController();
      ended.abort(refusal());
    },
    waitMs,
    until: (signal) => AbortSignal.any([signal, calm.signal]),
    refusal,
  };
}

/** Whether what failed speaks for everything that would be asked, and not for one blob: the hub gives tickets for all. */
const isOfTheService = ({ code }: Failure) =>
  code.startsWith('hub.ticket.') || /http-(?:429|5\d\d)$/.test(code);
