import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import type { Failure } from '../kernel/failure.ts';

/** So many different clips refused in a row, none accepted between: the fault is not theirs. */
const REFUSALS_BELIEVED = 3;
/** So often is a file read in vain before the clip is parked. */
const READS_BELIEVED = 4;
/** Clips whose bad reads are counted; the one longest known goes first. */
const BAD_READS_KEPT = 1_000;

export type Outcome = { readonly do: 'retry'; readonly inMs: number } | { readonly do: 'park' };

export interface Outcomes {
  succeeded(clipId: string): void;
  /** What to do with a clip whose upload failed, by the kind of the failure alone. */
  failed(failure: Failure, lease: { readonly clipId: string; readonly attempt: number }): Outcome;
  /** Whether its file was read in vain: next time it is read from the disk, past the system's cache. */
  wasBadRead(clipId: string): boolean;
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
 *  Transient and exhausted: again, later; so is a bug of ours, which must not cost the other clips. Corrupt: the file
 *  is read again, a few times, then parked. Rejected: parked, kept, told. Refusals of clip after clip are taken for a
 *  fault of the other side, so that a wrong setting in the cloud does not park a whole night. */
export function createOutcomes({ retry, pause, random }: OutcomesDeps): Outcomes {
  let failuresInARow = 0;
  const refusedInARow = new Set<string>();
  const badReads = new Map<string, number>();

  /** Says nothing about storage: it slows nobody else down. */
  function failedToRead(clipId: string): Outcome {
    const times = (badReads.get(clipId) ?? 0) + 1;
    badReads.delete(clipId);
    if (times >= READS_BELIEVED) return { do: 'park' };
    badReads.set(clipId, times);
    if (badReads.size > BAD_READS_KEPT) badReads.delete(badReads.keys().next().value ?? '');
    return { do: 'retry', inMs: backoffMs(retry, times - 1, random) };
  }

  return {
    succeeded(clipId) {
      failuresInARow = 0;
      refusedInARow.clear();
      badReads.delete(clipId);
    },
    failed({ kind, code }, { clipId, attempt }) {
      if (kind === 'corrupt') return failedToRead(clipId);
      // Storage has shown us that very blob: it is no fault of the other side.
      if (code === 'upload.archived') return { do: 'park' };
      if (kind === 'rejected') {
        if (refusedInARow.size < REFUSALS_BELIEVED) refusedInARow.add(clipId);
        if (refusedInARow.size < REFUSALS_BELIEVED) return { do: 'park' };
      }
      failuresInARow++;
      return { do: 'retry', inMs: backoffMs(retry, attempt - 1, random) };
    },
    wasBadRead: (clipId) => badReads.has(clipId),
    pauseMs: () => (failuresInARow === 0 ? 0 : backoffMs(pause, failuresInARow - 1, random)),
  };
}
