import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Log, redact } from '../kernel/log.ts';
import type { Ledger, Lease } from '../ledger/ledger.ts';
import { attemptTime } from './attempt-time.ts';
import type { Outcomes } from './outcomes.ts';
import type { OpenBlob } from './ticket-blob-client.ts';
import { DONE, type Tickets } from './tickets.ts';
import { absenceIn, carryClip, metadataOf } from './upload-clip.ts';

/** Uploads of leased clips, and what their failures mean for those behind them. */
export interface Attempts {
  /** Carries the clip of a lease and settles the lease, whatever comes of it.
   *  @throws Failure of the ledger only: the lease ends by itself */
  carry(lease: Lease): Promise<void>;
  /** For how long failures in a row keep the next attempt waiting, milliseconds; 0: not at all. */
  pauseMs(): number;
  /** A clip that is being carried now. */
  underWay(): string | undefined;
  /** What the last failed upload said; null after a success. */
  detail(): string | null;
}

export interface AttemptsDeps {
  readonly ledger: Pick<Ledger, 'settleUploaded' | 'settleFailed' | 'settleParked' | 'noteNotInStorage'>;
  readonly tickets: Pick<Tickets, 'use'>;
  readonly openBlob: OpenBlob;
  readonly outcomes: Outcomes;
  /** Storage has accepted this clip. */
  readonly onAccepted: (clipId: string) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly deviceId: string;
  /** Ends what is under way: the agent stops. */
  readonly stopping: AbortSignal;
}

export function createAttempts(deps: AttemptsDeps): Attempts {
  const { ledger, tickets, openBlob, outcomes, clock, log, deviceId, stopping } = deps;
  const uploading = new Set<string>();
  let pausedUntilMs = 0;
  let detail: string | null = null;

  function settleAfter(error: unknown, lease: Lease): void {
    const { clipId } = lease.clip;
    if (stopping.aborted) {
      ledger.settleFailed(lease, 'the agent stopped', 0);
      return;
    }
    const failure = classify(error, 'upload');
    const outcome = outcomes.failed(failure, { clipId, attempt: lease.attempt });
    detail = redact(`${failure.code}: ${failure.message.split('\n')[0]}`).slice(0, 300);
    const fields = { clipId, code: failure.code, kind: failure.kind, attempt: lease.attempt, reason: detail };
    const absence = absenceIn(failure);
    if (absence !== undefined) ledger.noteNotInStorage(lease, absence);
    if (outcome.do === 'park') {
      ledger.settleParked(lease, detail);
      log.error({ event: 'clip.parked', ...fields }, 'clip refused; it is kept here and tried again slowly');
      return;
    }
    const retryInMs = Math.max(outcome.inMs, failure.retryAfterMs ?? 0);
    ledger.settleFailed(lease, detail, retryInMs);
    pausedUntilMs = clock.monotonicMs() + outcomes.pauseMs();
    log.warn({ event: 'clip.upload-failed', ...fields, retryInMs }, 'upload failed; again later');
  }

  return {
    async carry(lease) {
      const { clip, attempt } = lease;
      const { clipId, bytes } = clip;
      const { signal, end } = attemptTime(lease, clock, stopping);
      uploading.add(clipId);
      try {
        const metadata = metadataOf(clip, deviceId);
        const { url, ...carried } = await tickets.use(clip.blobName, DONE, signal, async (ticket, calmly) => {
          const blob = openBlob(ticket);
          const fresh = outcomes.wasBadRead(clipId);
          return { url: blob.url, ...(await carryClip(clip, metadata, blob, calmly, fresh)) };
        });
        outcomes.succeeded(clipId);
        deps.onAccepted(clipId);
        pausedUntilMs = 0;
        detail = null;
        if (ledger.settleUploaded(lease, url))
          log.info({ event: 'clip.uploaded', clipId, bytes, attempt, ...carried }, 'clip uploaded');
      } catch (error) {
        settleAfter(error, lease);
      } finally {
        end();
        uploading.delete(clipId);
      }
    },
    pauseMs: () => Math.max(0, pausedUntilMs - clock.monotonicMs()),
    underWay: () => uploading.values().next().value,
    detail: () => detail,
  };
}
