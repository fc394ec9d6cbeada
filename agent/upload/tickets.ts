import type { FileUploadNotification, FileUploadTicket } from '@dachawatch/contracts';
import type { UploadTickets } from '../hub/hub.ts';
import { backoffMs } from '../kernel/waiting/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import { orAborted, withDeadline } from '../kernel/waiting/deadline.ts';
import { Failure } from '../kernel/failure.ts';
import { type Log, redact } from '../kernel/log.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import { createAskedToWait } from './asked-to-wait.ts';
import { createTicketQueue } from './ticket-queue.ts';

const RETURN_TRIES = 3;
/** What a process that stops allows for it. */
const LAST_RETURN_MS = 5_000;
const RETURN_BACKOFF = { minMs: 1_000, maxMs: 10_000 };

export const DONE: FileUploadNotification = {
  isSuccess: true,
  statusCode: 201,
  statusDescription: 'uploaded',
};
/** We only looked: no file notification may be raised. */
export const ONLY_READ: FileUploadNotification = {
  isSuccess: false,
  statusCode: 200,
  statusDescription: 'read only',
};

/** A ticket is given back at once or after a wait as long as this; otherwise the hub forgets it by itself. */
const RETURN_WAIT_MAX_MS = 60_000;

export interface Tickets {
  /** Gets a ticket, does the work, and gives the ticket back whatever happened.
   *  @param work its signal ends with the caller's, and when hub or storage ask somebody else to wait
   *  @param outcome what to tell the hub when the work is done; a failure tells its own
   *  @throws Failure; `upload.asked-to-wait` without asking anybody, while `waitMs` is not over */
  use<T>(
    blobName: string,
    outcome: FileUploadNotification,
    signal: AbortSignal,
    work: (ticket: FileUploadTicket, signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** For how long hub or storage asked everybody to wait: 0 when they did not, or when it is over. */
  waitMs(): number;
}

export interface TicketsDeps {
  readonly hub: UploadTickets;
  readonly clock: Clock;
  readonly log: Log;
  readonly deviceId: string;
  /** Longest that the hub may take to answer, milliseconds. */
  readonly ticketMs: number;
  readonly random?: () => number;
}

/** Invariants
 *  1. At most four tickets are open.
 *  2. Every ticket is given back: after success, after failure, and when it came too late to be used.
 *  3. A ticket for another blob than the one asked for is never used.
 *  4. A hub or a storage that asks to wait is asked for nothing until then. */
export function createTickets({ hub, clock, log, deviceId, ticketMs, random }: TicketsDeps): Tickets {
  const queue = createTicketQueue();
  const asked = createAskedToWait(clock);

  function refuseWhileWaiting(): void {
    if (asked.waitMs() > 0) throw asked.refusal();
  }

  async function request(blobName: string, signal: AbortSignal): Promise<FileUploadTicket> {
    let late = false;
    const answer = hub.requestTicket(blobName, signal).then(async (ticket) => {
      if (late) await giveBack(ticket, tellingOf('upload.ticket-late', 408), signal);
      return ticket;
    });
    try {
      const inTime = withDeadline(answer, ticketMs, `the ticket for ${blobName}`, 'upload.ticket-late');
      return await orAborted(inTime, signal);
    } catch (error) {
      late = true;
      // What comes of it later was said by the deadline.
      answer.catch(() => undefined);
      const failure = classify(error, 'upload.ticket');
      asked.heed(failure);
      throw failure;
    }
  }

  async function giveBack(
    ticket: FileUploadTicket,
    outcome: FileUploadNotification,
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = hub.returnTicket(ticket.correlationId, outcome);
        const patienceMs = signal.aborted ? Math.min(ticketMs, LAST_RETURN_MS) : ticketMs;
        await withDeadline(answer, patienceMs, 'giving a ticket back', 'upload.ticket-return-late');
        return;
      } catch (error) {
        const failure = classify(error, 'upload.ticket-return');
        asked.heed(failure);
        const pauseMs = Math.max(backoffMs(RETURN_BACKOFF, attempt, random), failure.retryAfterMs ?? 0);
        // A process that stops tries once: the hub forgets the ticket by itself after an hour.
        if (
          attempt + 1 >= RETURN_TRIES ||
          signal.aborted ||
          failure.kind === 'rejected' ||
          pauseMs > RETURN_WAIT_MAX_MS
        ) {
          log.warn(
            { event: 'upload.ticket-kept', blobName: ticket.blobName, code: failure.code },
            `a ticket could not be given back: ${redact(failure.message)}`,
          );
          return;
        }
        await sleepUnlessAborted(clock, pauseMs, signal);
      }
    }
  }

  return {
    async use(blobName, outcome, signal, work) {
      refuseWhileWaiting();
      await queue.enter(signal);
      try {
        // It may have been said while we waited for our turn.
        refuseWhileWaiting();
        const calmly = asked.until(signal);
        const ticket = await request(blobName, calmly);
        let told: FileUploadNotification = tellingOf('upload.unknown', 500);
        try {
          if (ticket.blobName !== `${deviceId}/${blobName}`)
            throw new Failure(
              'transient',
              'upload.ticket-mismatch',
              `asked for a ticket for ${deviceId}/${blobName}, got one for ${ticket.blobName}`,
            );
          const result = await work(ticket, calmly);
          told = outcome;
          return result;
        } catch (error) {
          const failure = calmly.aborted && !signal.aborted ? asked.refusal() : classify(error, 'upload');
          asked.heed(failure);
          told = tellingOf(failure.code, Number(/http-(\d{3})$/.exec(failure.code)?.[1] ?? 500));
          throw failure;
        } finally {
          await giveBack(ticket, told, signal);
        }
      } finally {
        queue.leave();
      }
    },
    waitMs: () => asked.waitMs(),
  };
}

const tellingOf = (code: string, statusCode: number): FileUploadNotification => ({
  isSuccess: false,
  statusCode,
  statusDescription: code,
});
