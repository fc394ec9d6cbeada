import { backoffMs, type BackoffPolicy } from '../kernel/backoff.ts';
import type { Failure } from '../kernel/failure.ts';

/** So many different clips refused in a row, none accepted between: the fault is not theirs. */
const REFUSALS_BELIEVED = 3;

export type Outcome = { readonly do: 'retry'; readonly inMs: number } | { readonly do: 'park' };

export interface Outcomes {
  succeeded(): void;
  /** What to do with a clip whose upload failed, by the kind of the failure alone.
   *  @throws the failure when it is a bug */
  failed(failure: Failure, attempt: number): Outcome;
  /** How long to leave storage in peace before the next clip, milliseconds. */
  pauseMs(): number;
}

export interface OutcomesDeps {
  /** For one clip. */
  readonly retry: BackoffPolicy;
  /** For all clips, after failures in a row. */
  readonly pause: BackoffPolicy;
  readonly random?: () => number;
}

/** Decides about failed uploads.
 *  Transient and exhausted: again, later. Rejected and corrupt: parked, kept, told. Refusals of clip after clip are
 *  taken for a fault of the other side, so that a wrong setting in the cloud does not park a whole night. */
export function createOutcomes({ retry, pause, random }: OutcomesDeps): Outcomes {
  let failuresInARow = 0;
  let refusalsInARow = 0;
  return {
    succeeded() {
      failuresInARow = 0;
      refusalsInARow = 0;
    },
    failed(failure, attempt) {
      if (failure.kind === 'bug') throw failure;
      if (failure.kind === 'corrupt') return { do: 'park' };
      if (failure.kind === 'rejected' && ++refusalsInARow < REFUSALS_BELIEVED) return { do: 'park' };
      failuresInARow++;
      return { do: 'retry', inMs: backoffMs(retry, attempt - 1, random) };
    },
    pauseMs: () => (failuresInARow === 0 ? 0 : backoffMs(pause, failuresInARow - 1, random)),
  };
}
