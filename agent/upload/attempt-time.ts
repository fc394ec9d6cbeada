import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import type { Lease } from '../ledger/ledger.ts';

/** An attempt ends before its lease does, so that it can still be settled and its ticket given back. */
const LEASE_SHARE = 0.9;

/** The time of one attempt, by the clock that the lease goes by.
 *  @returns a signal that is aborted when nine tenths of what is left of the lease have passed, or with `stopping`;
 *  `end` must be called when the attempt is over */
export function attemptTime(
  lease: Pick<Lease, 'expiresMs'>,
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
  stopping: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const over = new AbortController();
  const ended = new AbortController();
  const leftMs = Math.floor(Math.max(0, lease.expiresMs - clock.monotonicMs()) * LEASE_SHARE);
  void sleepUnlessAborted(clock, leftMs, ended.signal).then((isOver) => {
    if (isOver) over.abort(new Failure('transient', 'upload.lease-over', LEASE_OVER));
  });
  return { signal: AbortSignal.any([stopping, over.signal]), end: () => ended.abort() };
}

const LEASE_OVER =
  'the upload took nearly as long as its lease: what is staged stays, and the next attempt goes on';
