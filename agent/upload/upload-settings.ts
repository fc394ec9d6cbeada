import type { BackoffPolicy } from '../kernel/waiting/backoff.ts';

export interface UploadSettings {
  /** Clips uploaded at the same time. */
  readonly concurrency: 1 | 2;
  /** Longest wait before looking again although nobody called. */
  readonly idleMs: number;
  readonly retry: BackoffPolicy;
  /** Least time between two parked clips that are tried again by themselves; none after one that was accepted. */
  readonly parkedEveryMs: number;
  readonly pause: BackoffPolicy;
  readonly ticketMs: number;
  readonly requestMs: number;
  readonly blockMs: number;
  /** A clip without a verdict is asked for after so long; sooner when the link has just come back. */
  readonly verdictAfterMs: number;
  readonly verdictAfterConnectMs: number;
  readonly verdictEveryMs: number;
  readonly verdictsPerRound: number;
  /** A clip without a verdict is asked for again after so long. */
  readonly verdictAgain: BackoffPolicy;
  /** A clip whose verdict is not person is asked about again after so long: a later one may have got lost. */
  readonly revisedAgain: BackoffPolicy;
  readonly framesKept: number;
}

export const UPLOAD_SETTINGS: UploadSettings = {
  concurrency: 1,
  idleMs: 15_000,
  retry: { minMs: 5_000, maxMs: 300_000 },
  parkedEveryMs: 5 * 60_000,
  pause: { minMs: 1_000, maxMs: 60_000 },
  ticketMs: 30_000,
  requestMs: 30_000,
  blockMs: 180_000,
  verdictAfterMs: 7 * 60_000,
  verdictAfterConnectMs: 30_000,
  verdictEveryMs: 3 * 60_000,
  verdictsPerRound: 8,
  verdictAgain: { minMs: 3 * 60_000, maxMs: 60 * 60_000 },
  revisedAgain: { minMs: 60 * 60_000, maxMs: 8 * 60 * 60_000 },
  framesKept: 500,
};
