import type { Clock } from '../../kernel/clock.ts';
import type { Clip, ClipChange, ClipRow, ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { ClipEvent } from '../clips/clip-states.ts';
import { EVIDENCE_LOST } from '../clips/losses.ts';
import { prepareLeases } from './lease-sql.ts';
import { NOT_IN_STORAGE } from './storage-answer.ts';

/** Every third lease goes to the clip that waits longest; the others to the newest. */
const AGEING = 3;

/** The right to upload one clip until it expires. `attempt` is the fencing token: a late owner cannot settle. */
export interface Lease {
  readonly clip: Clip;
  readonly attempt: number;
  /** Monotonic time at which it ends. */
  readonly expiresMs: number;
}

export interface Leases {
  /** Leases the next clip that may be uploaded now; newest first, then those that waited longest. */
  readonly leaseNext: () => Lease | undefined;
  /** Settles a lease. False when the lease is no longer the caller's; nothing changed then. */
  readonly settleUploaded: (lease: Lease, blobUrl: string) => boolean;
  /** Back to `sealed`, not before `retryInMs`. False as above. */
  readonly settleFailed: (lease: Lease, reason: string, retryInMs: number) => boolean;
  /** Refused: kept, and tried again only when `returnParked` says so. False as above. */
  readonly settleParked: (lease: Lease, reason: string) => boolean;
  /** Storage was asked in this attempt, and does not have the clip: a line of custody, unless the lease is no longer the
   *  caller's. Whoever misses its file need not ask again. */
  readonly noteNotInStorage: (lease: Lease, detail: string) => void;
  /** Milliseconds until `leaseNext` may have something; null when nothing waits. */
  readonly nextLeaseInMs: () => number | null;
}

export interface LeasesDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly clock: Clock;
  readonly leaseMs: number;
}

const NO_LEASE = { lease_until: null } as const;

/** Hands clips to the uploader, one owner each.
 *  Invariants
 *  1. At most one lease per clip. It ends when it is settled, when it expires by the monotonic clock, or when the
 *     process ends: times of an earlier process mean nothing and are void when the ledger is opened.
 *  2. The attempt number grows with every lease and is the fencing token: a late owner settles nothing. */
export function createLeases({ db, rows, clock, leaseMs }: LeasesDeps): Leases & {
  /** Returns the clips that an earlier process had leased, and forgets its waiting times. */
  voidEarlier(): void;
} {
  const nowMs = () => clock.monotonicMs();
  const sql = prepareLeases(db);

  const returnExpired = (detail: string, due: ClipRow[]) => {
    for (const row of due) rows.move(row.clip_id, 'expire', detail, { ...NO_LEASE, retry_at: null });
  };

  function settle(
    { clip, attempt }: Lease,
    event: ClipEvent,
    detail: string | null,
    change: ClipChange,
  ): boolean {
    return db
      .transaction(() => {
        const row = rows.get(clip.clipId);
        if (!row || row.attempt !== attempt) return false;
        // Given up because its file was not there any more: it is in storage all the same.
        const isSaved =
          event === 'upload' && row.state === 'lost' && rows.countNotes(clip.clipId, EVIDENCE_LOST) > 0;
        if (row.state !== 'uploading' && !isSaved) return false;
        const moved = rows.move(clip.clipId, event, detail, { ...NO_LEASE, retry_at: null, ...change });
        if (event === 'upload' && moved.verdict !== null)
          rows.move(clip.clipId, 'judge', 'the verdict was here before the upload was settled');
        return true;
      })
      .immediate();
  }

  return {
    voidEarlier() {
      db.transaction(() => {
        returnExpired('the process that uploaded it ended', sql.uploading.all());
        sql.voidWaits.run();
      }).immediate();
    },

    leaseNext() {
      const now = nowMs();
      const waits = sql.newest.get() ?? sql.due.get(now) ?? sql.expired.get(now);
      if (!waits) return undefined;
      return db
        .transaction((): Lease | undefined => {
          returnExpired('the lease ran out', sql.expired.all(now));
          sql.endWaits.run(now);
          const turn = sql.countLease.get() ?? 1;
          const row = (turn % AGEING === 0 ? sql.oldest : sql.newest).get();
          if (!row) return undefined;
          const attempt = row.attempt + 1;
          const lease_until = now + leaseMs;
          const leased = rows.move(row.clip_id, 'lease', `attempt ${attempt}`, { attempt, lease_until });
          return { clip: rows.toClip(leased), attempt, expiresMs: lease_until };
        })
        .immediate();
    },

    settleUploaded: (lease, blobUrl) =>
      settle(lease, 'upload', `attempt ${lease.attempt}`, {
        blob_url: blobUrl,
        uploaded_ms: Math.round(clock.nowMs()),
        reason: null,
      }),
    settleFailed: (lease, reason, retryInMs) =>
      settle(lease, 'fail', reason, { reason, retry_at: nowMs() + Math.max(0, retryInMs) }),
    settleParked: (lease, reason) => settle(lease, 'park', reason, { reason }),

    noteNotInStorage: ({ clip: { clipId }, attempt }, detail) =>
      db
        .transaction(() => {
          const row = rows.get(clipId);
          if (row?.attempt === attempt && row.state === 'uploading')
            rows.note(clipId, NOT_IN_STORAGE, detail);
        })
        .immediate(),

    nextLeaseInMs() {
      const now = nowMs();
      const times = [sql.firstRetry.get(), sql.firstExpiry.get()].filter((at) => typeof at === 'number');
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - now);
    },
  };
}
