import type { Json } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { redact, type Log } from '../../kernel/log.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { HubConnection } from '../link/connection.ts';
import { asDocument, difference, mergePatch } from './merge-patch.ts';

/** The reported properties.
 *  Invariants
 *  1. What is sent is the difference between what is wanted and what the hub is known to hold: the twin as it was
 *     read on this connection, and what the hub acknowledged since.
 *  2. At most one patch is in flight, and at most one is sent each `everyMs`, across connections too.
 *  3. A document the hub refused is not sent again, on no connection. */
export interface ReportedProperties {
  want(document: object): void;
  /** @param over aborted when the connection has ended */
  attach(connection: Pick<HubConnection, 'report' | 'twin'>, over: AbortSignal): void;
  /** acknowledged: the hub holds what is wanted · pending · refused: it never will. */
  state(): 'acknowledged' | 'pending' | 'refused';
}

interface Attachment {
  readonly connection: Pick<HubConnection, 'report'>;
  readonly over: AbortSignal;
  known: Json;
  isBusy: boolean;
}

export function createReportedProperties({
  everyMs,
  onProgress,
  clock,
  log,
}: {
  everyMs: number;
  /** The state may have changed. */
  onProgress: () => void;
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  log: Log;
}): ReportedProperties {
  let wanted: Json | undefined;
  let refused: Json | undefined;
  let lastReason: string | undefined;
  let lastSentMs = Number.NEGATIVE_INFINITY;
  let current: Attachment | undefined;

  const missing = ({ known }: Attachment) =>
    wanted && wanted !== refused ? difference(known, wanted) : undefined;

  async function work(at: Attachment): Promise<void> {
    at.isBusy = true;
    try {
      while (missing(at)) {
        const waitMs = lastSentMs + everyMs - clock.monotonicMs();
        if (waitMs > 0) await sleepUnlessAborted(clock, waitMs, at.over);
        // Only now: what was wanted while waiting goes with it.
        const patch = missing(at);
        if (!patch || at.over.aborted) return;
        if (!(await send(at, patch, wanted))) return;
      }
    } finally {
      at.isBusy = false;
    }
  }

  /** False when the connection is over. */
  async function send(at: Attachment, patch: Json, document: Json | undefined): Promise<boolean> {
    lastSentMs = clock.monotonicMs();
    try {
      await at.connection.report(patch);
      at.known = mergePatch(at.known, patch);
      lastReason = undefined;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'rejected') return false;
      refused = document;
      const reason = redact(error.message);
      const fields = { event: 'twin.report-refused', code: error.code, reason };
      if (reason !== lastReason) log.warn(fields, 'the hub refused the reported properties');
      lastReason = reason;
    }
    onProgress();
    return true;
  }

  function kick(): void {
    if (current && !current.isBusy && !current.over.aborted) void work(current);
  }

  return {
    want: (document) => {
      const next = asDocument(document);
      wanted = refused && !difference(refused, next) ? refused : next;
      kick();
    },
    attach: (connection, over) => {
      current = { connection, over, known: connection.twin.reported, isBusy: false };
      kick();
    },
    state: () => {
      if (wanted && wanted === refused) return 'refused';
      const isHere = current && !current.over.aborted && !missing(current);
      return !wanted || isHere ? 'acknowledged' : 'pending';
    },
  };
}
