import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { redact, type Log } from '../../kernel/log.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { HubConnection } from '../link/connection.ts';
import type { Ledger, OutgoingEvent } from '../../ledger/ledger.ts';

/** Few, so that order is kept as far as acknowledgements allow, and nothing piles up in the SDK. */
const IN_FLIGHT = 4;

/** Events from the outbox to the hub.
 *  Invariants
 *  1. An event is settled only after the hub acknowledged it, or when it can never be sent.
 *  2. At most four are in flight, always the oldest that are not settled.
 *  3. What was not acknowledged is sent again on the next connection, under the same id. */
export interface Sender {
  wake(): void;
  /** @param over aborted when the connection has ended */
  attach(connection: Pick<HubConnection, 'send'>, over: AbortSignal): void;
  /** Nothing waits. False when the outbox cannot be read. */
  isEmpty(): boolean;
}

interface Attachment {
  readonly connection: Pick<HubConnection, 'send'>;
  readonly over: AbortSignal;
  /** Ids of events that were sent and are not settled. */
  readonly underway: Set<string>;
  /** Of the outbox, in a row. */
  failures: number;
  isWaiting: boolean;
}

export function createSender({
  outbox,
  retry,
  onProgress,
  clock,
  random,
  log,
}: {
  outbox: Pick<Ledger, 'outgoing' | 'settleOutgoing'>;
  /** Waits after the outbox failed. */
  retry: BackoffPolicy;
  /** Something was settled. */
  onProgress: () => void;
  clock: Pick<Clock, 'sleep'>;
  random: () => number;
  log: Log;
}): Sender {
  let current: Attachment | undefined;

  /** True when there is still a connection to go on with. */
  async function afterFailure(at: Attachment, error: unknown): Promise<boolean> {
    const waitMs = backoffMs(retry, at.failures, random);
    at.failures += 1;
    const fields = { event: 'telemetry.outbox-failed', retryInMs: Math.round(waitMs), err: error };
    log.error(fields, 'the outbox could not be used');
    return sleepUnlessAborted(clock, waitMs, at.over);
  }

  async function pump(at: Attachment): Promise<void> {
    if (at.over.aborted || at.isWaiting) return;
    let oldest: readonly OutgoingEvent[];
    try {
      oldest = outbox.outgoing(IN_FLIGHT);
    } catch (error) {
      at.isWaiting = true;
      const mayGoOn = await afterFailure(at, error);
      at.isWaiting = false;
      if (mayGoOn) await pump(at);
      return;
    }
    for (const event of oldest.slice(0, IN_FLIGHT)) {
      if (at.underway.size >= IN_FLIGHT || at.underway.has(event.eventId)) continue;
      at.underway.add(event.eventId);
      void deliver(at, event);
    }
  }

  async function deliver(at: Attachment, event: OutgoingEvent): Promise<void> {
    try {
      await at.connection.send(event);
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'rejected') return; // the connection is over
      const fields = {
        event: 'telemetry.refused',
        eventId: event.eventId,
        kind: event.event,
        code: error.code,
      };
      log.error(fields, `an event can never be sent: ${redact(error.message)}`);
    }
    if (!(await settle(at, event))) return;
    at.underway.delete(event.eventId);
    onProgress();
    await pump(at);
  }

  /** As often as it takes: it was acknowledged, and must not be sent again on this connection. */
  async function settle(at: Attachment, { eventId }: OutgoingEvent): Promise<boolean> {
    for (;;) {
      try {
        outbox.settleOutgoing(eventId);
        at.failures = 0;
        return true;
      } catch (error) {
        if (!(await afterFailure(at, error))) return false;
      }
    }
  }

  return {
    wake: () => {
      if (current) void pump(current);
    },
    attach: (connection, over) => {
      current = { connection, over, underway: new Set(), failures: 0, isWaiting: false };
      void pump(current);
    },
    isEmpty: () => {
      try {
        return outbox.outgoing(1).length === 0;
      } catch {
        return false; // said so where it was to be sent from
      }
    },
  };
}
