import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import {
  decodeProcessingRequest,
  encodeQueueMessage,
  QueueMessageError,
  type ProcessingRequest,
  type ProcessingResult,
} from '@dachawatch/contracts';
import { ClipProblem } from '../clip-problem.ts';
import type { Log } from '../log.ts';
import { holdMessage, type MessageLease } from './message-lease.ts';
import { createIntake, type Intake } from './intake.ts';
import { putAside } from './poison.ts';

export interface RequestLoopDeps {
  readonly requests: QueueClient;
  readonly results: QueueClient;
  readonly poison: QueueClient;
  readonly answer: (request: ProcessingRequest, signal: AbortSignal) => Promise<ProcessingResult>;
  readonly refusal: (request: ProcessingRequest, problem: ClipProblem) => ProcessingResult;
  /** Keeps the text of a message that is too large for the poison queue. */
  readonly keepText: (name: string, text: string) => Promise<string>;
  readonly leaseMs: number;
  /** Closed while nothing may be taken; absent: it never is. */
  readonly intake?: Intake;
  /** The loop ends after so long without a message. */
  readonly idleMs: number;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A request taken so often has failed or killed its worker every time. As in the Functions host. */
export const MAX_DEQUEUE_COUNT = 5;
const POLL_MIN_MS = 200;
const POLL_MAX_MS = 2000;
const RETRY_MIN_MS = 2000;
const RETRY_MAX_MS = 60_000;
const CALL_MS = 60_000;
/** Results are kept until somebody reads them. */
const FOREVER = -1;
/** Storage that cannot be reached for so long: whoever starts workers must hear of it. */
const MAX_POLL_FAILURES = 20;

/** Takes requests one by one and answers each.
 *  Invariants
 *  1. A request is deleted only after its answer, or its entry in the poison queue, is stored.
 *  2. It is answered at least once; a second time only when the worker was killed between answer and deletion. Both
 *     answers carry the same findings, and the orchestration takes the first.
 *  3. A request that cannot be read, or whose clip cannot be, never stops the others.
 *  4. Ends when the signal is aborted (what is under way goes back to the queue at once) or when idle.
 *  5. While the intake is closed nothing is taken; what is under way when it closes goes back at once. */
export async function serveRequests(deps: RequestLoopDeps, stop: AbortSignal): Promise<'idle' | 'stopped'> {
  const { requests, log, monotonicMs, intake = createIntake() } = deps;
  let idleSince = monotonicMs();
  let pauseMs = POLL_MIN_MS;
  let failures = 0;
  while (!stop.aborted) {
    if (intake.isClosed()) {
      await intake.whenOpen(stop);
      idleSince = monotonicMs();
      continue;
    }
    const took = await intake.during(async (closing) => {
      const end = AbortSignal.any([stop, closing]);
      let message: DequeuedMessageItem | undefined;
      try {
        message = await takeOne(requests, deps.leaseMs, end);
        failures = 0;
      } catch (error) {
        if (end.aborted) return false;
        failures++;
        if (failures >= MAX_POLL_FAILURES) throw error;
        log.warn({ event: 'queue.unreachable', failures, err: text(error) }, 'the queue cannot be read');
      }
      if (message) await handle(deps, message, end);
      return message !== undefined;
    });
    if (took) {
      idleSince = monotonicMs();
      pauseMs = POLL_MIN_MS;
      continue;
    }
    if (monotonicMs() - idleSince >= deps.idleMs) return 'idle';
    await deps.sleep(pauseMs, stop);
    pauseMs = Math.min(POLL_MAX_MS, pauseMs * 2);
  }
  return 'stopped';
}

async function takeOne(requests: QueueClient, leaseMs: number, stop: AbortSignal) {
  const { receivedMessageItems } = await requests.receiveMessages({
    numberOfMessages: 1,
    visibilityTimeout: Math.ceil(leaseMs / 1000),
    abortSignal: AbortSignal.any([stop, AbortSignal.timeout(CALL_MS)]),
  });
  return receivedMessageItems[0];
}

async function handle(deps: RequestLoopDeps, message: DequeuedMessageItem, stop: AbortSignal): Promise<void> {
  const { requests, log, leaseMs, monotonicMs } = deps;
  const lease = holdMessage(requests, message, { leaseMs, log, monotonicMs });
  try {
    await settle(deps, message, lease, stop);
  } catch (error) {
    // Nothing is known about the request then: it comes back by itself when its time is over.
    log.error(
      { event: 'request.unsettled', messageId: message.messageId, err: text(error) },
      'a request could not be answered now',
    );
    await giveBack(lease, retryMs(message.dequeueCount), log);
  }
}

async function settle(
  deps: RequestLoopDeps,
  message: DequeuedMessageItem,
  lease: MessageLease,
  stop: AbortSignal,
): Promise<void> {
  const { log } = deps;
  const { messageId, dequeueCount } = message;
  let request: ProcessingRequest;
  try {
    request = decodeProcessingRequest(message.messageText);
  } catch (error) {
    if (!(error instanceof QueueMessageError)) throw error;
    const { keepText, nowMs } = deps;
    await putAside({ send: (note) => send(deps.poison, note), keepText, nowMs }, message.messageText, error);
    await lease.settle();
    log.warn(
      { event: 'request.unreadable', messageId, reason: error.code, err: error.message },
      'bad message',
    );
    return;
  }
  const about = { instanceId: request.instance_id, blobName: request.blobName, dequeueCount };
  log.info({ event: 'request.taken', ...about }, 'request taken');
  let result: ProcessingResult;
  try {
    if (dequeueCount > MAX_DEQUEUE_COUNT) throw gaveUp();
    result = await deps.answer(request, AbortSignal.any([stop, lease.lost]));
    lease.lost.throwIfAborted();
  } catch (error) {
    if (lease.lost.aborted) {
      log.warn({ event: 'request.lost', ...about }, 'the request went to another worker');
      return;
    }
    if (stop.aborted) {
      await giveBackUnused(deps, message, lease);
      log.info({ event: 'request.returned', ...about }, 'stopping: the request is back in the queue');
      return;
    }
    const problem = asProblem(error);
    const last = problem.final || dequeueCount >= MAX_DEQUEUE_COUNT;
    log.warn(
      { event: 'request.failed', ...about, code: problem.code, last, err: problem.message },
      'not analysed',
    );
    if (!last) {
      await giveBack(lease, retryMs(dequeueCount), log);
      return;
    }
    result = deps.refusal(request, problem);
  }
  await send(deps.results, encodeQueueMessage(result));
  await lease.settle();
  log.info({ event: 'request.answered', ...about, status: result.status }, 'request answered');
}

const send = (queue: QueueClient, message: string) =>
  queue.sendMessage(message, { messageTimeToLive: FOREVER, abortSignal: AbortSignal.timeout(CALL_MS) });

async function giveBack(lease: MessageLease, delayMs: number, log: Log): Promise<void> {
  try {
    await lease.giveBack(delayMs);
  } catch (error) {
    log.warn(
      { event: 'request.not-returned', err: text(error) },
      'the request comes back when its time is over',
    );
  }
}

/** Being told to stop says nothing about the clip: the last try that it has is not taken from it. A fresh message, which
 *  counts from the beginning, takes its place then; it is stored before the old one is deleted. */
async function giveBackUnused(
  { requests, log }: RequestLoopDeps,
  { messageText, dequeueCount }: DequeuedMessageItem,
  lease: MessageLease,
): Promise<void> {
  if (dequeueCount < MAX_DEQUEUE_COUNT) return giveBack(lease, 0, log);
  try {
    await send(requests, messageText);
    await lease.settle();
  } catch (error) {
    log.warn({ event: 'request.not-renewed', err: text(error) }, 'the request goes back as it is');
    await giveBack(lease, 0, log);
  }
}

const retryMs = (dequeueCount: number) => Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (dequeueCount - 1));

const gaveUp = () =>
  new ClipProblem('worker.gave-up', `the clip was begun ${MAX_DEQUEUE_COUNT} times and never finished`, {
    final: true,
  });

const asProblem = (error: unknown): ClipProblem =>
  error instanceof ClipProblem
    ? error
    : new ClipProblem('worker.error', text(error), { final: false, cause: error });

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));
